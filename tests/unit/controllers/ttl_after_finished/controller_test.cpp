// Finished Jobs go when their ttlSecondsAfterFinished has passed since they ended, and no other Job does.
#include "controllers/ttl_after_finished/controller.h"

#include <doctest/doctest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "controllers/garbage_collector/controller.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace std::chrono_literals;

namespace {

api::Json job(std::optional<int> ttl) {
    api::Json object = api::Json::parse(R"({"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"work"},
        "spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"main","image":"busybox:1"}]}}}})");
    if (ttl) object["spec"]["ttlSecondsAfterFinished"] = *ttl;
    return object;
}

// The status of a Job that ended at the moment it was made.
std::string ended(const api::Json& object, const std::string& type) {
    const api::Json& when = object["metadata"]["creationTimestamp"];
    api::Json status = {{"startTime", when}};
    if (type == "Complete") status["completionTime"] = when;
    api::Json condition = {{"type", type}, {"status", "True"}, {"lastProbeTime", when}, {"lastTransitionTime", when}};
    status["conditions"] = api::Json::array({condition});
    return api::Json{{"status", status}}.dump();
}

struct Cluster : tests::TestCluster {
    Cluster() {
        add<controllers::TtlAfterFinishedController>();
        add<controllers::GarbageCollectorController>();
    }
    void finish(std::optional<int> ttl, const std::string& type) {
        patch("jobs.batch", "work", ended(create("jobs.batch", job(ttl)), type), "status");
        settle();
    }
};

}  // namespace

TEST_CASE("a Job goes when its time to live has passed since it ended, and not before") {
    for (const char* type : {"Complete", "Failed"}) {
        CAPTURE(type);
        Cluster cluster;
        cluster.finish(100, type);
        cluster.advance(98s);
        CHECK(cluster.exists("jobs.batch", "work"));
        cluster.advance(3s);
        CHECK_FALSE(cluster.exists("jobs.batch", "work"));
    }
}

TEST_CASE("a Job with a time to live of zero goes as soon as it ends") {
    Cluster cluster;
    cluster.finish(0, "Complete");
    CHECK_FALSE(cluster.exists("jobs.batch", "work"));
}

TEST_CASE("a time to live that is made longer while it runs counts") {
    Cluster cluster;
    cluster.finish(100, "Complete");
    cluster.advance(50s);
    cluster.patch("jobs.batch", "work", R"({"spec":{"ttlSecondsAfterFinished":1000}})");
    cluster.settle();
    cluster.advance(900s);
    CHECK(cluster.exists("jobs.batch", "work"));
    cluster.advance(60s);
    CHECK_FALSE(cluster.exists("jobs.batch", "work"));
}

TEST_CASE("a finished Job without a time to live stays") {
    Cluster cluster;
    cluster.finish(std::nullopt, "Complete");
    cluster.advance(24h);
    CHECK(cluster.exists("jobs.batch", "work"));
}

TEST_CASE("a Job that has not ended stays, whatever its time to live") {
    Cluster cluster;
    cluster.create("jobs.batch", job(0));
    cluster.settle();
    cluster.advance(24h);
    CHECK(cluster.exists("jobs.batch", "work"));
}
