// Internet addresses, networks and URLs as Go's net/netip, net and net/url packages read them. api/values/ip_address.h
// has addresses as net.IP, which takes IPv4-mapped ones for IPv4 and allows leading zeros.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kubemu::api {

struct NetipAddress {
    bool v6 = false;
    std::array<std::uint8_t, 16> bytes{};  // an IPv4 address is the first four

    // No zones, no leading zeros in IPv4 parts.
    static std::optional<NetipAddress> parse(std::string_view text);
    std::string text() const;  // canonical
    int bits() const { return v6 ? 128 : 32; }
    bool is_mapped() const;  // ::ffff:a.b.c.d
    bool unspecified() const;
    bool loopback() const;
    bool link_local_unicast() const;
    bool link_local_multicast() const;
    bool multicast() const;
    bool global_unicast() const;
    friend bool operator==(const NetipAddress&, const NetipAddress&) = default;
};

struct Cidr {
    NetipAddress address;
    int prefix = 0;

    static std::optional<Cidr> parse(std::string_view text);
    std::string text() const { return address.text() + "/" + std::to_string(prefix); }
    Cidr masked() const;
    bool contains(const NetipAddress& other) const;
    bool contains(const Cidr& other) const;
    friend bool operator==(const Cidr&, const Cidr&) = default;
};

// With leading zeros in IPv4 parts allowed, as Go read them before 1.17 (k8s.io/utils/net.ParseIPSloppy).
std::string without_leading_zeros(std::string_view text);

// Nothing when it is no hardware address of 6, 8 or 20 bytes.
bool is_mac(std::string_view text);

struct Url {
    std::string scheme, host, path, raw_query;  // host with its port; path decoded
    std::string hostname() const;
    std::string port() const;
    std::string escaped_path() const;

    // url.ParseRequestURI: an absolute URL, or a path that begins with '/'. `error`, when given, receives Go's words.
    static std::optional<Url> parse_request(std::string_view text, std::string* error = nullptr);
};

}  // namespace kubemu::api
