// Parsing of addresses, networks and URLs.
#include "api/values/net.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>

#include "api/values/text.h"

namespace kubemu::api {
namespace {

bool digits_only(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

std::optional<NetipAddress> NetipAddress::parse(std::string_view text) {
    if (text.size() > 45) return std::nullopt;
    const std::string copy(text);
    NetipAddress address;
    address.v6 = copy.find(':') != std::string::npos;
    if (inet_pton(address.v6 ? AF_INET6 : AF_INET, copy.c_str(), address.bytes.data()) != 1) return std::nullopt;
    return address;
}

std::string NetipAddress::text() const {
    char buffer[INET6_ADDRSTRLEN] = {};
    inet_ntop(v6 ? AF_INET6 : AF_INET, bytes.data(), buffer, sizeof buffer);
    return buffer;
}

bool NetipAddress::is_mapped() const {
    return v6 && std::all_of(bytes.begin(), bytes.begin() + 10, [](auto b) { return b == 0; }) && bytes[10] == 0xff &&
           bytes[11] == 0xff;
}
bool NetipAddress::unspecified() const {
    return std::all_of(bytes.begin(), bytes.end(), [](auto b) { return b == 0; });
}
bool NetipAddress::loopback() const {
    if (!v6) return bytes[0] == 127;
    return std::all_of(bytes.begin(), bytes.begin() + 15, [](auto b) { return b == 0; }) && bytes[15] == 1;
}
bool NetipAddress::link_local_unicast() const {
    return v6 ? bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80 : bytes[0] == 169 && bytes[1] == 254;
}
bool NetipAddress::link_local_multicast() const {
    return v6 ? bytes[0] == 0xff && (bytes[1] & 0x0f) == 0x02 : bytes[0] == 224 && bytes[1] == 0 && bytes[2] == 0;
}
bool NetipAddress::multicast() const { return v6 ? bytes[0] == 0xff : (bytes[0] & 0xf0) == 0xe0; }
bool NetipAddress::global_unicast() const {
    const bool broadcast = !v6 && bytes[0] == 255 && bytes[1] == 255 && bytes[2] == 255 && bytes[3] == 255;
    return !broadcast && !unspecified() && !loopback() && !multicast() && !link_local_unicast();
}

std::optional<Cidr> Cidr::parse(std::string_view text) {
    const std::size_t slash = text.rfind('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const std::string_view length = text.substr(slash + 1);
    const auto address = NetipAddress::parse(text.substr(0, slash));
    if (!address || !digits_only(length) || length.size() > 3 || (length.size() > 1 && length[0] == '0')) return std::nullopt;
    const int prefix = std::stoi(std::string(length));
    if (prefix > address->bits()) return std::nullopt;
    return Cidr{*address, prefix};
}

Cidr Cidr::masked() const {
    Cidr out = *this;
    for (int bit = prefix; bit < address.bits(); ++bit) {
        out.address.bytes[static_cast<std::size_t>(bit / 8)] &= static_cast<std::uint8_t>(~(0x80 >> (bit % 8)));
    }
    return out;
}

bool Cidr::contains(const NetipAddress& other) const {
    return other.v6 == address.v6 && Cidr{other, prefix}.masked().address == masked().address;
}

bool Cidr::contains(const Cidr& other) const {
    return other.address.v6 == address.v6 && other.prefix >= prefix && contains(other.address);
}

std::string without_leading_zeros(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool starts = i == 0 || text[i - 1] == '.' || (text[i - 1] == ':' && text.find('.', i) != std::string_view::npos);
        if (starts && text[i] == '0') {
            while (i + 1 < text.size() && std::isdigit(static_cast<unsigned char>(text[i + 1])) != 0 && text[i] == '0') ++i;
        }
        out += text[i];
    }
    return out;
}

bool is_mac(std::string_view text) {
    const auto groups_of = [text](char separator, std::size_t width, std::initializer_list<std::size_t> counts) {
        const auto parts = split(text, separator);
        if (std::find(counts.begin(), counts.end(), parts.size()) == counts.end()) return false;
        return std::all_of(parts.begin(), parts.end(), [width](std::string_view part) {
            return part.size() == width && std::all_of(part.begin(), part.end(), [](char c) { return hex_value(c) >= 0; });
        });
    };
    return groups_of(':', 2, {6, 8, 20}) || groups_of('-', 2, {6, 8, 20}) || groups_of('.', 4, {3, 4, 10});
}

std::string Url::hostname() const {
    if (!host.empty() && host[0] == '[') {
        const std::size_t end = host.find(']');
        return end == std::string::npos ? host : host.substr(1, end - 1);
    }
    return host.substr(0, host.rfind(':'));
}

std::string Url::port() const {
    const std::size_t bracket = host.rfind(']');
    const std::size_t colon = host.rfind(':');
    if (colon == std::string::npos || (bracket != std::string::npos && colon < bracket)) return {};
    return host.substr(colon + 1);
}

std::string Url::escaped_path() const {
    static constexpr std::string_view plain = "$&+,/:;=@-_.~!'()*";
    std::string out;
    for (const char c : path) {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0 || plain.find(c) != std::string_view::npos) {
            out += c;
        } else {
            constexpr char digits[] = "0123456789ABCDEF";
            out += '%';
            out += digits[static_cast<unsigned char>(c) >> 4];
            out += digits[static_cast<unsigned char>(c) & 15];
        }
    }
    return out;
}

namespace {

bool valid_escapes(std::string_view text, std::string& bad) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') continue;
        if (i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) continue;
        bad = std::string(text.substr(i, 3));
        return false;
    }
    return true;
}

}  // namespace

std::optional<Url> Url::parse_request(std::string_view text, std::string* error) {
    const auto fail = [&](const std::string& why) -> std::optional<Url> {
        if (error != nullptr) *error = "parse " + go_quote(text) + ": " + why;
        return std::nullopt;
    };
    for (const char c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return fail("net/url: invalid control character in URL");
    }
    if (text.empty()) return fail("empty url");
    Url url;
    if (text == "*") {
        url.path = "*";
        return url;
    }
    std::string_view rest = text;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (std::isalpha(static_cast<unsigned char>(c)) != 0) continue;
        if (std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '-' || c == '.') {
            if (i == 0) break;
            continue;
        }
        if (c == ':') {
            if (i == 0) return fail("missing protocol scheme");
            url.scheme = lower(text.substr(0, i));
            rest = text.substr(i + 1);
        }
        break;
    }
    if (const std::size_t mark = rest.find('?'); mark != std::string_view::npos) {
        url.raw_query = rest.substr(mark + 1);
        rest = rest.substr(0, mark);
    }
    if (rest.empty() || rest[0] != '/') {
        if (!url.scheme.empty()) return url;  // opaque: mailto:x
        return fail("invalid URI for request");
    }
    if (!url.scheme.empty() && rest.substr(0, 2) == "//" && rest.substr(0, 3) != "///") {
        const std::size_t end = rest.find('/', 2);
        std::string_view authority = rest.substr(2, end == std::string_view::npos ? end : end - 2);
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end);
        if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
        url.host = authority;
        if (!authority.empty() && authority[0] == '[') {
            if (authority.find(']') == std::string_view::npos) return fail("missing ']' in host");
        } else if (authority.find_first_of(" <>\"^`{|}\\") != std::string_view::npos) {
            return fail("invalid character " + go_quote(authority.substr(authority.find_first_of(" <>\"^`{|}\\"), 1)) + " in host name");
        }
        const std::size_t bracket = authority.rfind(']');
        const std::size_t colon = authority.rfind(':');
        if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
            const std::string_view number = authority.substr(colon + 1);
            if (!number.empty() && !digits_only(number)) return fail("invalid port " + go_quote(authority.substr(colon)) + " after host");
        }
    } else if (!url.scheme.empty() && rest.substr(0, 3) == "///") {
        rest.remove_prefix(2);
    }
    std::string bad;
    if (!valid_escapes(rest, bad)) return fail("invalid URL escape " + go_quote(bad));
    url.path = percent_decode(rest, false);
    return url;
}

}  // namespace kubemu::api
