// Addresses and networks as Go reads and writes them.
#include "api/values/ip_address.h"

#include <doctest/doctest.h>

using namespace kubemu::api;

TEST_CASE("addresses: what is one, and its canonical text") {
    struct Case {
        const char *text, *canonical;
    };
    const Case cases[] = {{"10.0.0.1", "10.0.0.1"},
                          {"010.000.0.01", "10.0.0.1"},
                          {"2001:DB8:0:0:1::", "2001:db8:0:0:1::"},
                          {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
                          {"::", "::"},
                          {"::1", "::1"},
                          {"::ffff:10.0.0.1", "10.0.0.1"},
                          {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"}};
    for (const Case& item : cases) {
        const auto address = IpAddress::parse(item.text);
        REQUIRE(address);
        CHECK(address->text() == item.canonical);
    }
    for (const char* bad : {"", "10.0.0", "10.0.0.256", "10.0.0.1.2", "a", "1::2::3", "fe80::1%eth0"})
        CHECK(!IpAddress::parse(bad));
    CHECK(IpAddress::parse("127.1.2.3")->loopback());
    CHECK(IpAddress::parse("::1")->loopback());
    CHECK(IpAddress::parse("169.254.0.1")->link_local_unicast());
    CHECK(IpAddress::parse("fe80::1")->link_local_unicast());
    CHECK(IpAddress::parse("0.0.0.0")->unspecified());
    CHECK(IpAddress::parse("224.0.0.1")->link_local_multicast());
    CHECK(!IpAddress::parse("10.0.0.1")->link_local_unicast());
}

TEST_CASE("networks: prefix, membership, canonical text") {
    const auto network = IpNetwork::parse("10.1.2.3/16");
    REQUIRE(network);
    CHECK(network->text() == "10.1.0.0/16");
    CHECK(network->contains(*IpAddress::parse("10.1.255.255")));
    CHECK(!network->contains(*IpAddress::parse("10.2.0.0")));
    CHECK(!network->contains(*IpAddress::parse("2001:db8::1")));
    CHECK(IpNetwork::parse("2001:db8::1/32")->text() == "2001:db8::/32");
    for (const char* bad : {"10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "::/129", "x/8"})
        CHECK(!IpNetwork::parse(bad));
}
