// The order in which an update is complained of, kind by kind.
#include "api/update_checks.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/harness/test_cluster.h"

using namespace kubemu;

namespace {

// Where the complaints of an update are made, in order; what is said of one place in a row stands once.
std::string places(tests::TestCluster& cluster, const char* resource, const char* name, const char* merge_patch) {
    const auto written =
        cluster.client().modify(cluster.kind(resource), "default", name, {}, [&](api::Json& object) {
            object.merge_patch(api::Json::parse(merge_patch));
            return true;
        });
    REQUIRE_FALSE(written);
    std::string places, last;
    for (const auto& cause : written.error()->causes) {
        if (cause.field != last) places += (places.empty() ? "" : " ") + cause.field;
        last = cause.field;
    }
    return places;
}

}  // namespace

TEST_CASE("updates are complained of in the order of the strategy of the kind") {
    tests::TestCluster cluster;
    const char* const pod = R"({"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}],"restartPolicy":"Always"}})";
    const auto with_template = [&](const char* selector) {
        return std::string(R"({"metadata":{"name":"x"},"spec":{"selector":)") + selector + R"(,"template":)" + pod + "}}";
    };
    struct Case {
        const char* resource;
        std::string object;
        const char* change;
        const char* places;
    };
    const Case cases[] = {
        // The change first, then the whole of it, once.
        {"daemonsets.apps", with_template(R"({"matchLabels":{"a":"b"}})"),
         R"({"metadata":{"labels":{"k":"!"}},"spec":{"minReadySeconds":-1,"selector":{"matchLabels":{"a":"c"}}}})",
         "metadata.labels spec.selector spec.template.metadata.labels spec.minReadySeconds"},
        {"replicationcontrollers", with_template(R"({"a":"b"})"),
         R"({"metadata":{"labels":{"k":"!"}},"spec":{"minReadySeconds":-1}})", "metadata.labels spec.minReadySeconds"},
        {"secrets", R"({"metadata":{"name":"x"},"type":"a/b"})",
         R"({"metadata":{"labels":{"k":"!"}},"type":"c/d","data":{"?":""}})", "metadata.labels type metadata.labels data[?]"},
        {"ingressclasses.networking.k8s.io", R"({"metadata":{"name":"x"},"spec":{"controller":"e.com/a"}})",
         R"({"metadata":{"labels":{"k":"!"}},"spec":{"controller":"a"}})",
         "metadata.labels spec.controller metadata.labels spec.controller"},
        {"volumeattributesclasses.storage.k8s.io", R"({"metadata":{"name":"x"},"driverName":"a","parameters":{"a":"b"}})",
         R"({"metadata":{"labels":{"k":"!"}},"driverName":"A_"})", "metadata.labels driverName metadata.labels driverName"},
        // The whole of it first, then the change.
        {"runtimeclasses.node.k8s.io", R"({"metadata":{"name":"x"},"handler":"h"})",
         R"({"metadata":{"labels":{"k":"!"}},"handler":"H"})", "metadata.labels handler metadata.labels handler"},
        {"jobs.batch",
         R"({"metadata":{"name":"x"},"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"i"}]}}}})",
         R"({"metadata":{"labels":{"k":"!"}},"spec":{"parallelism":-1}})",
         "metadata.labels spec.parallelism metadata.labels spec.parallelism"},
        // A name that the spec makes is part of the metadata.
        {"apiservices.apiregistration.k8s.io",
         R"({"metadata":{"name":"v1.e.com"},"spec":{"group":"e.com","version":"v1","groupPriorityMinimum":1,"versionPriority":1}})",
         R"({"metadata":{"labels":{"k":"!"}},"spec":{"version":"v2","versionPriority":0}})",
         "metadata.labels metadata.name metadata.labels spec.versionPriority"},
    };
    for (const Case& one : cases) {
        CAPTURE(one.resource);
        cluster.create(one.resource, one.object.c_str());
        const std::string name(one.object.find("v1.e.com") != std::string::npos ? "v1.e.com" : "x");
        CHECK(places(cluster, one.resource, name.c_str(), one.change) == one.places);
    }
}

TEST_CASE("the generation of a PodTemplate counts changes of its template") {
    tests::TestCluster cluster;
    cluster.create("podtemplates", R"({"metadata":{"name":"t"},"template":{"spec":{"containers":[{"name":"c","image":"i"}]}}})");
    const auto change = [&](const char* patch) {
        REQUIRE(cluster.client().modify(cluster.kind("podtemplates"), "default", "t", {}, [&](api::Json& object) {
            object.merge_patch(api::Json::parse(patch));
            return true;
        }));
        return api::int_at(cluster.get("podtemplates", "t"), {"metadata", "generation"});
    };
    CHECK(change(R"({"metadata":{"labels":{"a":"b"}}})") == 1);
    CHECK(change(R"({"template":{"spec":{"hostNetwork":true}}})") == 2);
}
