// EndpointSlice: addresses, ports, generation, and the topology labels of v1beta1.
#include "tests/unit/api/kinds/check_rules.h"

using namespace kubemu::api;

namespace {
constexpr const char* group = "discovery.k8s.io";
std::string slice(const std::string& type, const std::string& address) {
    return R"({"addressType":")" + type + R"(","endpoints":[{"addresses":[")" + address + R"("]}]})";
}
}  // namespace

TEST_CASE("EndpointSlice: addresses of each type") {
    RulesUnderTest under(group, "v1", "EndpointSlice");
    const std::string at = "endpoints[0].addresses[0]: Invalid value: ";
    CHECK(under.creating(slice("IPv4", "10.0.0.1")).empty());
    CHECK(under.creating(slice("IPv4", "10.0.0.01")).empty());
    CHECK(under.creating(slice("IPv6", "10.0.0.1")) ==
          "endpoints[0].addresses: Invalid value: \"10.0.0.1\": must be an IPv6 address");
    CHECK(under.creating(slice("IPv4", "a")) ==
          at + "\"a\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
    CHECK(under.creating(slice("IPv6", "2001:DB8::1")) ==
          at + "\"2001:DB8::1\": must be in canonical form (\"2001:db8::1\")");
    CHECK(under.creating(slice("IPv4", "127.0.0.1")) ==
          at + "\"127.0.0.1\": may not be in the loopback range (127.0.0.0/8, ::1/128)");
    CHECK(under.creating(slice("IPv6", "fe80::1")) ==
          at + "\"fe80::1\": may not be in the link-local range (169.254.0.0/16, fe80::/10)");
    CHECK(under.creating(slice("FQDN", "example")) ==
          at + "\"example\": should be a domain with at least two segments separated by dots");
    CHECK(under.creating(R"({"addressType":"IP"})") ==
          "addressType: Unsupported value: \"IP\": supported values: \"FQDN\", \"IPv4\", \"IPv6\"");
    CHECK(
        under.creating(
            R"({"addressType":"IPv4","endpoints":[{"addresses":[]}],"ports":[{"name":"a","port":1},{"name":"a","port":2}]})") ==
        "ports[1].name: Duplicate value: \"a\"\nendpoints[0].addresses: Required value: must contain at least 1 address");
    CHECK(under.updating(slice("IPv4", "127.0.0.1"), slice("IPv4", "127.0.0.1")).empty());
    CHECK(under.updating(slice("IPv4", "10.0.0.1"), slice("IPv6", "2001:db8::1")) ==
          "addressType: Invalid value: \"IPv6\": field is immutable");
}

TEST_CASE("EndpointSlice: the generation rises with the content and the labels, not with annotations") {
    RulesUnderTest under(group, "v1", "EndpointSlice");
    const Json old = Json::parse(R"({"metadata":{"generation":3},"addressType":"IPv4"})");
    const auto generation_after = [&](const char* text) {
        Json object = Json::parse(text);
        under.rules.prepare_for_update(object, old, under.context());
        return object["metadata"]["generation"].get<int>();
    };
    CHECK(generation_after(R"({"metadata":{"generation":3,"annotations":{"a":"b"}},"addressType":"IPv4"})") ==
          3);
    CHECK(generation_after(R"({"metadata":{"generation":3,"labels":{"a":"b"}},"addressType":"IPv4"})") == 4);
    CHECK(generation_after(R"({"metadata":{"generation":3},"addressType":"IPv4","ports":[{"port":1}]})") ==
          4);
}

TEST_CASE("EndpointSlice v1beta1: topology labels are fields in v1") {
    const char* text = R"({"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"],"nodeName":"n",
        "topology":{"topology.kubernetes.io/zone":"z","kubernetes.io/hostname":"n","other":"x"}}]})";
    const Json stored = stored_form(group, "v1beta1", "EndpointSlice", text);
    CHECK(stored["endpoints"][0] ==
          Json::parse(
              R"({"addresses":["10.0.0.1"],"nodeName":"n","zone":"z","deprecatedTopology":{"other":"x"}})"));
    CHECK(version_form(group, "v1beta1", "EndpointSlice", stored)["endpoints"] ==
          Json::parse(text)["endpoints"]);
}
