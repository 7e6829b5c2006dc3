// Which addresses no traffic can be sent to.
#include "api/kinds/core/endpoint_address.h"

#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "api/kinds/validation.h"
#include "api/values/text.h"

namespace kubemu::api::kinds {
namespace {

using Bytes = std::array<std::uint8_t, 16>;

// The address as IPv6 has it; IPv4 is mapped. `text` has been checked to be an address.
Bytes bytes_of(std::string_view text) {
    Bytes bytes{};
    if (text.find(':') != std::string_view::npos) {
        inet_pton(AF_INET6, std::string(text).c_str(), bytes.data());
        return bytes;
    }
    bytes[10] = bytes[11] = 0xff;
    std::size_t i = 12;
    for (const std::string_view part : split(text, '.')) {
        unsigned octet = 0;
        std::from_chars(part.data(), part.data() + part.size(), octet);
        if (i < bytes.size()) bytes[i++] = static_cast<std::uint8_t>(octet);
    }
    return bytes;
}

bool is_mapped(const Bytes& bytes) {
    for (std::size_t i = 0; i < 10; ++i) {
        if (bytes[i] != 0) return false;
    }
    return bytes[10] == 0xff && bytes[11] == 0xff;
}

}  // namespace

void validate_endpoint_address(std::string_view ip, const FieldPath& path, FieldErrors& errors) {
    const std::string text(ip);
    if (!is_ip(ip)) return errors.invalid(path, text, "must be a valid IP address");
    const Bytes bytes = bytes_of(ip);
    const bool v4 = is_mapped(bytes);
    std::uint32_t rest = 0;
    for (std::size_t i = 0; i < 15; ++i) rest |= v4 && i < 12 ? 0U : bytes[i];
    const bool unspecified = rest == 0 && bytes[15] == 0;
    const bool loopback = v4 ? bytes[12] == 127 : rest == 0 && bytes[15] == 1;
    const bool link_local = v4 ? bytes[12] == 169 && bytes[13] == 254 : bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
    const bool multicast =
        v4 ? bytes[12] == 224 && bytes[13] == 0 && bytes[14] == 0 : bytes[0] == 0xff && (bytes[1] & 0x0f) == 2;
    if (unspecified) errors.invalid(path, text, "may not be unspecified (" + text + ")");
    if (loopback) errors.invalid(path, text, "may not be in the loopback range (127.0.0.0/8, ::1/128)");
    if (link_local) errors.invalid(path, text, "may not be in the link-local range (169.254.0.0/16, fe80::/10)");
    if (multicast) errors.invalid(path, text, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
}

}  // namespace kubemu::api::kinds
