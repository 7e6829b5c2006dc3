// Parsing and writing of addresses, over inet_pton.
#include "api/values/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace kubemu::api {
namespace {

bool parse_v4(std::string_view text, std::uint8_t* octets) {
    for (int i = 0; i < 4; ++i) {
        int value = 0;
        std::size_t digits = 0;
        for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
            value = value * 10 + (text[digits] - '0');
            if (value > 255) return false;
        }
        if (digits == 0) return false;
        octets[i] = static_cast<std::uint8_t>(value);
        text.remove_prefix(digits);
        if (i == 3) break;
        if (text.empty() || text[0] != '.') return false;
        text.remove_prefix(1);
    }
    return text.empty();
}

std::string v6_text(const std::array<std::uint8_t, 16>& bytes) {
    std::array<unsigned, 8> groups{};
    for (std::size_t i = 0; i < 8; ++i) groups[i] = (bytes[2 * i] << 8U) | bytes[2 * i + 1];
    // The longest run of two or more zero groups becomes "::".
    std::size_t best = 8, best_length = 1;
    for (std::size_t i = 0; i < 8; ++i) {
        std::size_t length = 0;
        while (i + length < 8 && groups[i + length] == 0) ++length;
        if (length > best_length) {
            best = i;
            best_length = length;
        }
    }
    std::string out;
    for (std::size_t i = 0; i < 8; ++i) {
        if (i == best) {
            out += "::";
            i += best_length - 1;
            continue;
        }
        if (!out.empty() && out.back() != ':') out += ':';
        char digits[8];
        const auto end = std::to_chars(digits, digits + sizeof digits, groups[i], 16);
        out.append(digits, end.ptr);
    }
    return out;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    IpAddress address;
    if (text.find(':') == std::string_view::npos) {
        address.v4 = true;
        address.bytes[10] = address.bytes[11] = 0xff;
        if (!parse_v4(text, &address.bytes[12])) return std::nullopt;
        return address;
    }
    if (inet_pton(AF_INET6, std::string(text).c_str(), address.bytes.data()) != 1) return std::nullopt;
    address.v4 = std::all_of(address.bytes.begin(), address.bytes.begin() + 10,
                             [](std::uint8_t byte) { return byte == 0; }) &&
                 address.bytes[10] == 0xff && address.bytes[11] == 0xff;
    return address;
}

std::string IpAddress::text() const {
    if (!v4) return v6_text(bytes);
    std::string out;
    for (std::size_t i = 12; i < 16; ++i) out += (i > 12 ? "." : "") + std::to_string(bytes[i]);
    return out;
}

bool IpAddress::unspecified() const {
    return std::all_of(bytes.begin() + (v4 ? 12 : 0), bytes.end(),
                       [](std::uint8_t byte) { return byte == 0; });
}

bool IpAddress::loopback() const {
    if (v4) return bytes[12] == 127;
    return bytes[15] == 1 &&
           std::all_of(bytes.begin(), bytes.begin() + 15, [](std::uint8_t byte) { return byte == 0; });
}

bool IpAddress::link_local_unicast() const {
    if (v4) return bytes[12] == 169 && bytes[13] == 254;
    return bytes[0] == 0xfe && (bytes[1] & 0xc0U) == 0x80;
}

bool IpAddress::link_local_multicast() const {
    if (v4) return bytes[12] == 224 && bytes[13] == 0 && bytes[14] == 0;
    return bytes[0] == 0xff && (bytes[1] & 0x0fU) == 0x02;
}

std::optional<IpNetwork> IpNetwork::parse(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const auto address = IpAddress::parse(text.substr(0, slash));
    const std::string_view bits = text.substr(slash + 1);
    IpNetwork network;
    const auto [end, error] = std::from_chars(bits.data(), bits.data() + bits.size(), network.prefix_bits);
    if (!address || error != std::errc() || end != bits.data() + bits.size() || bits[0] == '-')
        return std::nullopt;
    network.v4 = text.substr(0, slash).find(':') == std::string_view::npos;
    if (network.prefix_bits > (network.v4 ? 32 : 128)) return std::nullopt;
    network.address = *address;
    const int kept = network.prefix_bits + (network.v4 ? 96 : 0);
    for (int bit = kept; bit < 128; ++bit) {
        network.address.bytes[static_cast<std::size_t>(bit / 8)] &=
            static_cast<std::uint8_t>(~(0x80U >> (bit % 8)));
    }
    return network;
}

bool IpNetwork::contains(const IpAddress& other) const {
    if (other.v4 != v4) return false;
    const int kept = prefix_bits + (v4 ? 96 : 0);
    for (int bit = 0; bit < kept; ++bit) {
        const auto mask = static_cast<std::uint8_t>(0x80U >> (bit % 8));
        const auto byte = static_cast<std::size_t>(bit / 8);
        if (((address.bytes[byte] ^ other.bytes[byte]) & mask) != 0) return false;
    }
    return true;
}

std::string IpNetwork::text() const {
    return address.text() + "/" + std::to_string(prefix_bits);
}

}  // namespace kubemu::api
