// matchAttribute and distinctAttribute, also where they make the search go back.
#include "devices_fixture.h"

using namespace kubemu;
using tests::Devices;

namespace {

struct Cards : Devices {
    Cards() {
        slice(R"({"driver":"gpu.example","devices":[{"name":"gpu-0","attributes":{"numa":{"int":0}}},{"name":"gpu-1","attributes":{"numa":{"int":1}}},{"name":"gpu-2","attributes":{"numa":{"int":1}}}]})");
        slice(R"({"driver":"nic.example","devices":[{"name":"nic-0","attributes":{"gpu.example/numa":{"int":1}}},{"name":"nic-1","attributes":{"gpu.example/numa":{"string":"0"}}}]})");
        add_class("gpu", R"({"selectors":[{"cel":{"expression":"device.driver == 'gpu.example'"}}]})");
        add_class("nic", R"({"selectors":[{"cel":{"expression":"device.driver == 'nic.example'"}}]})");
    }
    std::string constrained(const std::string& requests, const std::string& constraints) {
        return given({"{\"requests\":[" + requests + "],\"constraints\":[" + constraints + "]}"});
    }
};

const std::string gpu = R"({"name":"g","exactly":{"deviceClassName":"gpu"}})", nic = R"({"name":"n","exactly":{"deviceClassName":"nic"}})";

}  // namespace

TEST_CASE("devices must have an attribute in common") {
    Cards cards;
    CHECK(cards.constrained(gpu + "," + nic, "") == "g=gpu-0 n=nic-0");
    CHECK(cards.constrained(gpu + "," + nic, R"({"requests":["g","n"],"matchAttribute":"gpu.example/numa"})") == "g=gpu-1 n=nic-0");
    CHECK(cards.constrained(gpu + "," + nic, R"({"matchAttribute":"gpu.example/numa"})") == "g=gpu-1 n=nic-0");
    // "0" is not 0.
    CHECK(cards.constrained(gpu + R"(,{"name":"n","exactly":{"deviceClassName":"nic","count":2}})", R"({"matchAttribute":"gpu.example/numa"})") == "none");
    CHECK(cards.constrained(R"({"name":"g","exactly":{"deviceClassName":"gpu","count":2}})", R"({"requests":["g"],"matchAttribute":"gpu.example/numa"})") == "g=gpu-1 g=gpu-2");
    CHECK(cards.constrained(gpu, R"({"matchAttribute":"gpu.example/none"})") == "none");
    CHECK(cards.constrained(gpu + "," + nic, R"({"requests":["n"],"matchAttribute":"gpu.example/none"})") == "none");
    CHECK(cards.constrained(gpu, R"({"requests":["g"]})") == "error: claim default/c0, constraint #0: empty constraint (unsupported constraint type?)");
}

TEST_CASE("devices must differ in an attribute") {
    Cards cards;
    CHECK(cards.constrained(R"({"name":"g","exactly":{"deviceClassName":"gpu","count":2}})", R"({"distinctAttribute":"gpu.example/numa"})") == "g=gpu-0 g=gpu-1");
    CHECK(cards.constrained(R"({"name":"g","exactly":{"deviceClassName":"gpu","count":3}})", R"({"distinctAttribute":"gpu.example/numa"})") == "none");
    CHECK(cards.constrained(nic + "," + gpu, R"({"distinctAttribute":"gpu.example/numa"})") == "n=nic-0 g=gpu-0");
}

TEST_CASE("constraints name requests, or single alternatives") {
    Cards cards;
    const std::string either = R"({"name":"g","firstAvailable":[{"name":"one","deviceClassName":"gpu"},{"name":"other","deviceClassName":"gpu"}]})";
    CHECK(cards.constrained(either + "," + nic, R"({"requests":["g","n"],"matchAttribute":"gpu.example/numa"})") == "g/one=gpu-1 n=nic-0");
    CHECK(cards.constrained(either + "," + nic, R"({"requests":["g/other","n"],"matchAttribute":"gpu.example/numa"})") == "g/one=gpu-0 n=nic-0");
    CHECK(cards.constrained(either, R"({"requests":["g/one"],"matchAttribute":"gpu.example/none"})") == "g/other=gpu-0");
}
