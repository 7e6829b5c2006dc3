// Selectors of devices: what they may name, which type they have, what they may cost.
#include "api/cel/device.h"

#include <doctest/doctest.h>

using namespace kubemu::api::cel;

TEST_CASE("selectors of devices are compiled over `device`") {
    for (const char* good : {"device.driver == 'x'", "device.attributes['x'].a", "device.attributes['x'].a == 'b'",
                             "device.capacity['x'].a.compareTo(quantity('1')) > 0", "device.allowMultipleAllocations",
                             "cel.bind(dra, device.attributes['d.example'], dra.one && dra.other)"}) {
        CAPTURE(good);
        const DeviceSelector selector = compile_device_selector(good);
        CHECK(selector.error == "");
        CHECK(selector.cost < 1000000);
    }
    struct Case {
        const char *source, *said;
    };
    for (const Case& c : {
             Case{"device.driver", "must evaluate to bool or the unknown type, not string"},
             Case{"device.attributes['x']",
                  "must evaluate to bool or the unknown type, not map(string, google.protobuf.Any)"},
             Case{"device.capacity['x'].a", "must evaluate to bool or the unknown type, not kubernetes.Quantity"},
             Case{"cel.bind(x, 1, x)", "must evaluate to bool or the unknown type, not int"},
             Case{"device.foo == 1",
                  "compilation failed: ERROR: <input>:1:7: undefined field 'foo'\n | device.foo == 1\n | ......^"},
             Case{"device.driver == 1",
                  "compilation failed: ERROR: <input>:1:15: found no matching overload for '_==_' applied to '(string, "
                  "int)'\n | device.driver == 1\n | ..............^"},
         }) {
        CAPTURE(c.source);
        CHECK(compile_device_selector(c.source).error == c.said);
    }
}

TEST_CASE("a selector that goes through all attributes again and again costs too much") {
    const char* nested = "device.attributes.all(k, device.attributes[k].all(j, device.attributes.all(m, "
                         "device.attributes[m].all(n, k == m))))";
    CHECK(compile_device_selector(nested).error == "");
    CHECK(compile_device_selector(nested).cost > 1000000);
}
