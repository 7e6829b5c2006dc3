// Devices that are parts of one another share counters.
#include "devices_fixture.h"

using namespace kubemu;
using tests::Devices;
using tests::node_of;

namespace {

struct Card : Devices {
    Card() {
        slice(R"({"pool":{"resourceSliceCount":2},"sharedCounters":[{"name":"card","counters":{"mem":{"value":"40Gi"},"engines":{"value":"7"}}}]})");
        slice(R"({"pool":{"resourceSliceCount":2},"devices":[
            {"name":"whole","attributes":{"parts":{"int":2}},"consumesCounters":[{"counterSet":"card","counters":{"mem":{"value":"40Gi"},"engines":{"value":"7"}}}]},
            {"name":"half-0","attributes":{"parts":{"int":1}},"consumesCounters":[{"counterSet":"card","counters":{"mem":{"value":"20Gi"},"engines":{"value":"3"}}}]},
            {"name":"half-1","attributes":{"parts":{"int":1}},"consumesCounters":[{"counterSet":"card","counters":{"mem":{"value":"20Gi"},"engines":{"value":"3"}}}]}]})");
    }
};

const char* one = R"({"requests":[{"name":"r"}]})";

}  // namespace

TEST_CASE("a device is not given when its counters are used up") {
    Card card;
    CHECK(card.given({one}) == "r=whole");
    CHECK(card.given({one, one}) == "r=half-0 | r=half-1");  // the whole had to be given back
    CHECK(card.given({one, one, one}) == "none");
    card.take("half-1");
    CHECK(card.given({one}) == "r=half-0");
    card.take("half-0");
    CHECK(card.given({one}) == "none");
}

TEST_CASE("what a failed choice took from the counters is there again") {
    Card card;
    // The halves differ in nothing; no constraint takes two devices that must differ.
    CHECK(card.given({R"({"requests":[{"name":"r","exactly":{"count":2}}],"constraints":[{"distinctAttribute":"d.example/parts"}]})"}) == "none");
    CHECK(card.given({R"({"requests":[{"name":"r","firstAvailable":[{"name":"three","count":3},{"name":"two","count":2}]}]})"}) == "r/two=half-0 r/two=half-1");
}

TEST_CASE("devices that the node does not see count as well") {
    Devices card;
    card.slice(R"({"pool":{"resourceSliceCount":2},"sharedCounters":[{"name":"card","counters":{"mem":{"value":"40Gi"}}}]})");
    card.slice(R"({"perDeviceNodeSelection":true,"pool":{"resourceSliceCount":2},"devices":[
        {"name":"of-n","nodeName":"n","consumesCounters":[{"counterSet":"card","counters":{"mem":{"value":"30Gi"}}}]},
        {"name":"of-m","nodeName":"m","consumesCounters":[{"counterSet":"card","counters":{"mem":{"value":"30Gi"}}}]}]})");
    CHECK(card.given({one}) == "r=of-n");
    card.take("of-m");
    CHECK(card.given({one}) == "none");
}
