// Which devices claims get: the first that do, in the order of pools, slices and devices, whatever has to be taken back.
#include "devices_fixture.h"

using namespace kubemu;
using tests::Devices;
using tests::node_of;
using tests::selecting;

TEST_CASE("the first device that does: by driver, pool, slice name and place") {
    Devices world;
    world.slice(R"({"driver":"z.example","devices":[{"name":"z"}]})");
    world.slice(R"({"pool":{"name":"q"},"devices":[{"name":"q0"}]})");
    world.slice(R"({"pool":{"resourceSliceCount":2},"devices":[{"name":"late"}]})", "s2");
    world.slice(R"({"pool":{"resourceSliceCount":2},"devices":[{"name":"b"},{"name":"a"}]})", "s1");
    CHECK(world.given({R"({"requests":[{"name":"r"}]})"}) == "r=b");
    CHECK(world.given({R"({"requests":[{"name":"r","exactly":{"count":4}}]})"}) == "r=b r=a r=late r=q0");
    CHECK(world.given({R"({"requests":[{"name":"r"}]})", R"({"requests":[{"name":"s","exactly":{"count":2}}]})"}) == "r=b | s=a s=late");
    CHECK(world.given({R"({"requests":[{"name":"r","exactly":{"count":6}}]})"}) == "none");
    world.take("b");
    CHECK(world.given({R"({"requests":[{"name":"r"}]})"}) == "r=a");
}

TEST_CASE("a choice that leaves too little for later requests and claims is taken back") {
    Devices world;
    world.slice(R"({"devices":[{"name":"both","attributes":{"a":{"bool":true},"b":{"bool":true}}},{"name":"only-a","attributes":{"a":{"bool":true},"b":{"bool":false}}}]})");
    const char* a = R"({"requests":[{"name":"a","exactly":{"selectors":[{"cel":{"expression":"device.attributes['d.example'].a"}}]}}]})";
    const char* b = R"({"requests":[{"name":"b","exactly":{"selectors":[{"cel":{"expression":"device.attributes['d.example'].b"}}]}}]})";
    CHECK(world.given({a}) == "a=both");
    CHECK(world.given({a, b}) == "a=only-a | b=both");
    CHECK(world.given({b, a}) == "b=both | a=only-a");
    CHECK(world.given({a, a, b}) == "none");
    // Within one claim, with two devices for the first request.
    world.slice(R"({"pool":{"name":"q"},"devices":[{"name":"another-a","attributes":{"a":{"bool":true},"b":{"bool":false}}}]})");
    CHECK(world.given({R"({"requests":[{"name":"a","exactly":{"count":2,"selectors":[{"cel":{"expression":"device.attributes['d.example'].a"}}]}},
        {"name":"b","exactly":{"selectors":[{"cel":{"expression":"device.attributes['d.example'].b"}}]}}]})"}) == "a=only-a a=another-a b=both");
}

TEST_CASE("selectors of the class and of the request must both take the device; what cannot be answered stops everything") {
    Devices world;
    world.slice(R"({"devices":[{"name":"small","attributes":{"model":{"string":"x"},"driver.example/v":{"version":"1.2.0"}},"capacity":{"mem":{"value":"10Gi"}}},
                               {"name":"large","attributes":{"model":{"string":"x"},"driver.example/v":{"version":"1.10.0"}},"capacity":{"mem":{"value":"80Gi"}}}]})");
    world.add_class("x", R"({"selectors":[{"cel":{"expression":"device.driver == 'd.example' && device.attributes['d.example'].model == 'x'"}}]})");
    CHECK(world.given({selecting("device.capacity['d.example'].mem.compareTo(quantity('20Gi')) > 0", "x")}) == "r=large");
    CHECK(world.given({selecting("device.attributes['driver.example'].v.isGreaterThan(semver('1.3.0'))", "x")}) == "r=large");
    CHECK(world.given({selecting("cel.bind(own, device.attributes['d.example'], own.model == 'x' && !device.allowMultipleAllocations)")}) == "r=small");
    CHECK(world.given({selecting("device.attributes['d.example'].none == 1")}) == "error: claim default/c0: selector #0: CEL runtime error: no such key: none");
    // A domain of which nothing is said is empty, but it is not there.
    CHECK(world.given({selecting("has(device.attributes['other.example'].none)")}) == "none");
    CHECK(world.given({selecting("'other.example' in device.attributes")}) == "none");
    CHECK(world.given({selecting("'driver.example' in device.attributes")}) == "r=small");
    CHECK(world.given({selecting("device.attributes['d.example'].model")}) ==
          "error: claim default/c0: selector #0: CEL runtime error: CEL result of type string could not be converted to bool: unsupported native conversion from string to 'bool'");
    world.add_class("broken", R"({"selectors":[{"cel":{"expression":"true"}},{"cel":{"expression":"device.nothing"}}]})");
    CHECK(world.given({R"({"requests":[{"name":"r","exactly":{"deviceClassName":"broken"}}]})"}).find("error: class broken: selector #1: CEL compile error: ") == 0);
    CHECK(world.given({R"({"requests":[{"name":"r","exactly":{"deviceClassName":"gone"}}]})"}) ==
          "error: claim default/c0, request r: could not retrieve device class gone: deviceclass.resource.k8s.io \"gone\" not found");
}

TEST_CASE("devices belong to a node, to nodes by their labels, to all, or each to its own") {
    Devices world;
    world.slice(R"({"nodeName":"n1","devices":[{"name":"local"}]})");
    world.slice(R"({"nodeSelector":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"zone","operator":"In","values":["a"]}]}]},"pool":{"name":"zonal"},"devices":[{"name":"zonal"}]})");
    world.slice(R"({"perDeviceNodeSelection":true,"pool":{"name":"own"},"devices":[{"name":"of-n2","nodeName":"n2"},{"name":"of-all","allNodes":true}]})");
    const char* one = R"({"requests":[{"name":"r"}]})";
    CHECK(world.given({one}, node_of("n1", {{"zone", "a"}})) == "r=local");
    CHECK(world.given({one}, node_of("n2", {{"zone", "a"}})) == "r=of-n2");
    CHECK(world.given({one}, node_of("n3", {{"zone", "a"}})) == "r=of-all");
    CHECK(world.given({R"({"requests":[{"name":"r","exactly":{"count":2}}]})"}, node_of("n3", {{"zone", "a"}})) == "r=of-all r=zonal");
    CHECK(world.given({R"({"requests":[{"name":"r","exactly":{"count":2}}]})"}, node_of("n3")) == "none");
    const auto selector = [&](const char* spec, const tests::NodeInfo& node) {
        return api::object_at(*world.allocate({spec}, node).allocations.at(0), {"nodeSelector"}).dump();
    };
    const std::string this_node = R"({"nodeSelectorTerms":[{"matchFields":[{"key":"metadata.name","operator":"In","values":["n1"]}]}]})";
    CHECK(selector(one, node_of("n1")) == this_node);
    CHECK(selector(one, node_of("n3")) == "{}");  // good everywhere
    const char* two = R"({"requests":[{"name":"r","exactly":{"count":2}}]})";
    CHECK(selector(two, node_of("n3", {{"zone", "a"}})) ==
          R"({"nodeSelectorTerms":[{"matchExpressions":[{"key":"zone","operator":"In","values":["a"]}]}]})");
    world.slice(R"({"pool":{"name":"a"},"devices":[{"name":"binds","bindsToNode":true}]})");
    CHECK(selector(one, node_of("n1")) == this_node);
}

TEST_CASE("only the newest generation of a pool counts, and only when all of it is there") {
    Devices world;
    const char* one = R"({"requests":[{"name":"r"}]})";
    const char* all = R"({"requests":[{"name":"r","exactly":{"allocationMode":"All"}}]})";
    world.slice(R"({"pool":{"generation":1},"devices":[{"name":"old"}]})");
    CHECK(world.given({one}) == "r=old");
    world.slice(R"({"pool":{"generation":2,"resourceSliceCount":2},"devices":[{"name":"new-0"}]})");
    CHECK(world.given({one}) == "none");
    CHECK(world.given({all}) == "error: claim default/c0, request r: asks for all devices, but resource pool d.example/p is currently being updated");
    world.slice(R"({"pool":{"generation":2,"resourceSliceCount":2},"devices":[{"name":"new-1"}]})");
    CHECK(world.given({all}) == "r=new-0 r=new-1");
    // Another node sees the new generation: what this one sees is going.
    Devices moving;
    moving.slice(R"({"nodeName":"n","pool":{"name":"p","resourceSliceCount":2},"devices":[{"name":"old"}]})");
    moving.slice(R"({"nodeName":"m","pool":{"name":"p","generation":2},"devices":[{"name":"new"}]})");
    CHECK(moving.given({one}) == "none");
    CHECK(moving.given({one}, node_of("m")) == "r=new");
}

TEST_CASE("a pool that names a device twice, or consumes counters that it has not, is invalid") {
    Devices world;
    const char* one = R"({"requests":[{"name":"r"}]})";
    world.slice(R"({"pool":{"resourceSliceCount":2},"devices":[{"name":"d"}]})");
    world.slice(R"({"pool":{"resourceSliceCount":2},"devices":[{"name":"d"}]})");
    CHECK(world.given({one}) == "refused: invalid resource pools were encountered");
    CHECK(world.given({R"({"requests":[{"name":"r","exactly":{"allocationMode":"All"}}]})"}) ==
          "error: claim default/c0, request r: asks for all devices, but resource pool d.example/p is currently invalid");
    world.slice(R"({"pool":{"name":"good"},"devices":[{"name":"e"}]})");
    CHECK(world.given({one}) == "r=e");
    Devices counters;
    counters.slice(R"({"devices":[{"name":"d","consumesCounters":[{"counterSet":"s","counters":{"mem":{"value":"1"}}}]}]})");
    CHECK(counters.given({one}) == "refused: invalid resource pools were encountered");
}

TEST_CASE("all: every device that matches, at least one, each of them free") {
    Devices world;
    const char* all = R"({"requests":[{"name":"r","exactly":{"allocationMode":"All"}}]})";
    CHECK(world.given({all}) == "none");
    world.slice(R"({"devices":[{"name":"a","attributes":{"n":{"int":1}}},{"name":"b","attributes":{"n":{"int":2}}},{"name":"c","attributes":{"n":{"int":2}}}]})");
    CHECK(world.given({all}) == "r=a r=b r=c");
    CHECK(world.given({R"({"requests":[{"name":"one"},{"name":"r","exactly":{"allocationMode":"All","selectors":[{"cel":{"expression":"device.attributes['d.example'].n == 2"}}]}}]})"}) ==
          "one=a r=b r=c");
    // A constraint that keeps some out can never hold.
    CHECK(world.given({R"({"requests":[{"name":"r","exactly":{"allocationMode":"All"}}],"constraints":[{"matchAttribute":"d.example/n"}]})"}) ==
          "error: claim default/c0, request r: cannot add device d.example/p/b because a claim constraint would not be satisfied");
    world.take("b");
    CHECK(world.given({all}) == "none");
}

TEST_CASE("alternatives: the first that can be had, and the configuration that goes with it") {
    Devices world;
    world.slice(R"({"devices":[{"name":"a"},{"name":"b"}]})");
    world.add_class("tuned", R"({"config":[{"opaque":{"driver":"d.example","parameters":{"of":"class"}}}]})");
    const char* claim = R"({"requests":[{"name":"r","firstAvailable":[{"name":"three","count":3},{"name":"two","count":2,"deviceClassName":"tuned"},{"name":"one"}]}],
        "config":[{"requests":["r/three"],"opaque":{"driver":"d.example","parameters":1}},{"requests":["r/two"],"opaque":{"driver":"d.example","parameters":2}},
                  {"requests":["r"],"opaque":{"driver":"d.example","parameters":3}},{"opaque":{"driver":"d.example","parameters":4}}]})";
    CHECK(world.given({claim}) == "r/two=a r/two=b");
    CHECK(world.given({claim, R"({"requests":[{"name":"s"}]})"}) == "r/one=a | s=b");
    const api::Json allocation = *world.allocate({claim}).allocations.at(0);
    const api::Json& config = api::array_at(allocation, {"devices", "config"});
    REQUIRE(config.size() == 4);
    CHECK(config[0] == api::Json::parse(R"({"source":"FromClass","requests":["r/two"],"opaque":{"driver":"d.example","parameters":{"of":"class"}}})"));
    CHECK(config[1] == api::Json::parse(R"({"source":"FromClaim","requests":["r/two"],"opaque":{"driver":"d.example","parameters":2}})"));
    CHECK(config[2] == api::Json::parse(R"({"source":"FromClaim","requests":["r"],"opaque":{"driver":"d.example","parameters":3}})"));
    CHECK(config[3] == api::Json::parse(R"({"source":"FromClaim","opaque":{"driver":"d.example","parameters":4}})"));
}

TEST_CASE("a class that several requests name says what it has to say once") {
    Devices world;
    world.add_class("tuned", R"({"config":[{"opaque":{"driver":"d.example","parameters":1}}]})");
    world.slice(R"({"devices":[{"name":"a"},{"name":"b"}]})");
    const auto outcome = world.allocate({R"({"requests":[{"name":"r","exactly":{"deviceClassName":"tuned"}},{"name":"s","exactly":{"deviceClassName":"tuned"}}]})"});
    CHECK(api::array_at(*outcome.allocations.at(0), {"devices", "config"}) ==
          api::Json::parse(R"([{"source":"FromClass","requests":["r","s"],"opaque":{"driver":"d.example","parameters":1}}])"));
}

TEST_CASE("a claim can hold 32 devices") {
    Devices world;
    api::Json slice = {{"devices", api::Json::array()}};
    for (int i = 0; i < 40; ++i) slice["devices"].push_back({{"name", "d" + std::to_string(i)}});
    world.slice(slice.dump().c_str());
    CHECK(world.given({R"({"requests":[{"name":"r","exactly":{"count":33}}]})"}) ==
          "error: claim default/c0: number of requested devices 33 exceeds the claim limit of 32");
    CHECK(world.allocate({R"({"requests":[{"name":"r","exactly":{"count":32}}]})"}).found);
    // The first alternative would be too many beside the other request, the second is not.
    const auto outcome = world.allocate({R"({"requests":[{"name":"r","exactly":{"count":30}},{"name":"s","firstAvailable":[{"name":"four","count":4},{"name":"two","count":2}]}]})"});
    REQUIRE(outcome.found);
    CHECK((*outcome.allocations[0])["devices"]["results"][31]["request"] == "s/two");
}

TEST_CASE("access for administrators takes nothing from others") {
    Devices world;
    world.slice(R"({"devices":[{"name":"a"},{"name":"b"}]})");
    world.take("a");
    const char* admin = R"({"requests":[{"name":"r","exactly":{"adminAccess":true,"allocationMode":"All"}}]})";
    CHECK(world.given({admin}) == "r=a r=b");
    CHECK((*world.allocate({admin}).allocations.at(0))["devices"]["results"][0]["adminAccess"] == true);
    Devices other;
    other.slice(R"({"devices":[{"name":"a"}]})");
    other.allocated.add(*world.allocate({admin}).allocations.at(0));
    CHECK(other.given({R"({"requests":[{"name":"r"}]})"}) == "r=a");
}

TEST_CASE("tainted devices are for those who tolerate it") {
    Devices world;
    world.slice(R"({"devices":[{"name":"ill","taints":[{"key":"k","value":"v","effect":"NoExecute"}]},{"name":"odd","taints":[{"key":"k","value":"v","effect":"None"}]}]})");
    CHECK(world.given({R"({"requests":[{"name":"r"}]})"}) == "r=odd");
    for (const char* toleration : {R"({"operator":"Exists"})", R"({"key":"k","operator":"Equal","value":"v","effect":"NoExecute"})"}) {
        const std::string claim = std::string(R"({"requests":[{"name":"r","exactly":{"tolerations":[)") + toleration + "]}}]}";
        const auto outcome = world.allocate({claim});
        REQUIRE(outcome.found);
        const api::Json& result = (*outcome.allocations[0])["devices"]["results"][0];
        CHECK(result["device"] == "ill");
        CHECK(result["tolerations"] == api::Json::array({api::Json::parse(toleration)}));
    }
    CHECK(world.given({R"({"requests":[{"name":"r","exactly":{"tolerations":[{"key":"k","operator":"Equal","value":"w"}]}}]})"}) == "r=odd");
}

TEST_CASE("devices that are not ready at once come last") {
    Devices world;
    world.slice(R"({"pool":{"name":"a"},"devices":[{"name":"waits","bindingConditions":["there"],"bindingFailureConditions":["broken"]}]})");
    world.slice(R"({"pool":{"name":"b"},"devices":[{"name":"ready"}]})");
    CHECK(world.given({R"({"requests":[{"name":"r"}]})"}) == "r=ready");
    const auto outcome = world.allocate({R"({"requests":[{"name":"r","exactly":{"count":2}}]})"});
    REQUIRE(outcome.found);
    const api::Json& waits = (*outcome.allocations[0])["devices"]["results"][1];
    CHECK(waits["bindingConditions"] == api::Json::array({"there"}));
    CHECK(waits["bindingFailureConditions"] == api::Json::array({"broken"}));
}
