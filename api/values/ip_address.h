// IP addresses and networks as Go's net package reads and writes them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kubemu::api {

struct IpAddress {
    std::array<std::uint8_t, 16> bytes{};  // IPv4 in the last four, mapped (::ffff:a.b.c.d)
    bool v4 = false;                       // also of a mapped address, as net.IP.To4 has it

    // netutils.ParseIPSloppy: octets of IPv4 may have leading zeros.
    static std::optional<IpAddress> parse(std::string_view text);
    // net.IP.String: RFC 5952.
    std::string text() const;

    bool unspecified() const;
    bool loopback() const;
    bool link_local_unicast() const;
    bool link_local_multicast() const;
    friend bool operator==(const IpAddress& a, const IpAddress& b) { return a.bytes == b.bytes; }
};

struct IpNetwork {
    IpAddress address;  // with the bits beyond the prefix cleared
    int prefix_bits = 0;
    bool v4 = false;  // written as IPv4

    // netutils.ParseCIDRSloppy.
    static std::optional<IpNetwork> parse(std::string_view text);
    bool contains(const IpAddress& other) const;
    std::string text() const;  // canonical
};

}  // namespace kubemu::api
