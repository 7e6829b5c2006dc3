// Packing of addresses and ports; the orders are those of RepackSubsets of Kubernetes 1.36.
#include "controllers/endpoints/subsets.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace kubemu::controllers {
namespace {

api::Json port(const char* name, int number, const char* protocol = "TCP") {
    return {{"name", name}, {"port", number}, {"protocol", protocol}};
}

api::Json address(const char* ip, const char* pod) {
    return {{"ip", ip}, {"nodeName", std::string("n-") + pod},
            {"targetRef", {{"kind", "Pod"}, {"namespace", "d"}, {"name", pod}, {"uid", std::string("u-") + pod}}}};
}

api::Json served(const api::Json& address, bool ready, std::initializer_list<api::Json> ports) {
    return {{"address", address}, {"ready", ready}, {"ports", api::Json::array_t(ports)}};
}

TEST_CASE("ports of a subset are in the order of their hashes") {
    const api::Json subsets = repack_subsets(
        api::Json::array({served(address("10.0.0.1", "a"), true, {port("dns", 53, "UDP"), port("dns-tcp", 53), port("metrics", 9153)})}));
    REQUIRE(subsets.size() == 1);
    CHECK(subsets[0]["ports"] == api::Json::array({port("metrics", 9153), port("dns-tcp", 53), port("dns", 53, "UDP")}));
}

TEST_CASE("ports with the same addresses share a subset, and subsets are in the order of their hashes") {
    api::Json a = {{"ip", "10.0.0.1"}, {"nodeName", "n1"},
                   {"targetRef", {{"kind", "Pod"}, {"namespace", "d"}, {"name", "a"}, {"uid", "u-a"}}}};
    api::Json b = {{"ip", "10.0.0.2"}, {"nodeName", "n2"}, {"hostname", "h"},
                   {"targetRef", {{"kind", "Pod"}, {"namespace", "d"}, {"name", "b"}, {"uid", "u-b"}}}};
    const api::Json subsets =
        repack_subsets(api::Json::array({served(b, true, {port("http", 81), port("m", 90)}), served(a, true, {port("http", 80), port("m", 90)})}));
    REQUIRE(subsets.size() == 3);
    CHECK(subsets[0] == api::Json{{"addresses", api::Json::array({b})}, {"ports", api::Json::array({port("http", 81)})}});
    CHECK(subsets[1] == api::Json{{"addresses", api::Json::array({a})}, {"ports", api::Json::array({port("http", 80)})}});
    CHECK(subsets[2] == api::Json{{"addresses", api::Json::array({a, b})}, {"ports", api::Json::array({port("m", 90)})}});
}

TEST_CASE("ready and unready addresses share a subset, and ports need not be") {
    const api::Json subsets = repack_subsets(
        api::Json::array({served(address("10.0.0.2", "b"), false, {}), served(address("10.0.0.1", "a"), true, {})}));
    REQUIRE(subsets.size() == 1);
    CHECK(subsets[0] == api::Json{{"addresses", api::Json::array({address("10.0.0.1", "a")})},
                                  {"notReadyAddresses", api::Json::array({address("10.0.0.2", "b")})}});
    CHECK(repack_subsets(api::Json::array()).empty());
}

}  // namespace
}  // namespace kubemu::controllers
