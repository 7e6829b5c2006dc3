// Devices that several share: in which portions, and until nothing is left.
#include "controllers/scheduler/devices/capacity.h"

#include "devices_fixture.h"

using namespace kubemu;
using tests::Devices;
namespace devices = controllers::scheduler::devices;

namespace {

std::string portion(const char* capacity, const char* asked) {
    const auto slice = devices::read_slice({{"metadata", {{"name", "s"}}},
                                            {"spec", {{"devices", api::Json::array({{{"name", "d"}, {"allowMultipleAllocations", true},
                                                                                     {"capacity", {{"mem", api::Json::parse(capacity)}}}}})}}}});
    devices::Amounts wanted;
    if (*asked != '\0') wanted["mem"] = *api::Quantity::parse(asked);
    if (!devices::has_room(wanted, slice->devices[0], {})) return "no";
    return devices::consumed_by(wanted, slice->devices[0]).at("mem").text();
}

}  // namespace

TEST_CASE("portions are rounded up to what the policy allows") {
    const char* range = R"({"value":"40Gi","requestPolicy":{"default":"3Gi","validRange":{"min":"1Gi","max":"20Gi","step":"2Gi"}}})";
    CHECK(portion(range, "") == "3Gi");
    CHECK(portion(range, "500Mi") == "1Gi");
    CHECK(portion(range, "1Gi") == "1Gi");
    CHECK(portion(range, "4Gi") == "5Gi");
    CHECK(portion(range, "20Gi") == "no");  // 21Gi is beyond the maximum
    const char* values = R"({"value":"8","requestPolicy":{"default":"2","validValues":["2","4"]}})";
    CHECK(portion(values, "") == "2");
    CHECK(portion(values, "3") == "4");
    CHECK(portion(values, "5") == "no");
    CHECK(portion(R"({"value":"8"})", "") == "8");
    CHECK(portion(R"({"value":"8"})", "3") == "3");
    CHECK(portion(R"({"value":"8"})", "9") == "no");
    CHECK(portion(R"({"value":"8","requestPolicy":{"default":"1"}})", "5") == "5");
}

TEST_CASE("a shared device is given in parts, each with a name of its own") {
    Devices world;
    world.slice(R"({"devices":[{"name":"nic","allowMultipleAllocations":true,"capacity":{"bw":{"value":"10Gi","requestPolicy":{"default":"1Gi","validRange":{"min":"1Gi"}}}}}]})");
    const auto outcome = world.allocate({R"({"requests":[{"name":"a","exactly":{"capacity":{"requests":{"bw":"6Gi"}}}},{"name":"b"}]})",
                                         R"({"requests":[{"name":"c","exactly":{"capacity":{"requests":{"bw":"3Gi"}}}}]})"});
    REQUIRE(outcome.found);
    const api::Json& results = (*outcome.allocations[0])["devices"]["results"];
    CHECK(results[0]["consumedCapacity"] == api::Json{{"bw", "6Gi"}});
    CHECK(results[0]["shareID"] == "share-0");
    CHECK(results[1]["consumedCapacity"] == api::Json{{"bw", "1Gi"}});
    CHECK(results[1]["shareID"] == "share-1");
    CHECK(world.given({R"({"requests":[{"name":"a","exactly":{"capacity":{"requests":{"bw":"6Gi"}}}},{"name":"b","exactly":{"capacity":{"requests":{"bw":"5Gi"}}}}]})"}) == "none");
    world.allocated.add(*outcome.allocations[0]);
    CHECK(world.given({R"({"requests":[{"name":"d","exactly":{"capacity":{"requests":{"bw":"3Gi"}}}}]})"}) == "d=nic");
    CHECK(world.given({R"({"requests":[{"name":"d","exactly":{"capacity":{"requests":{"bw":"4Gi"}}}}]})"}) == "none");
    CHECK(world.given({R"({"requests":[{"name":"d","exactly":{"capacity":{"requests":{"other":"1"}}}}]})"}) == "none");
}
