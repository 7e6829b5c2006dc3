// Pods on a node with NoExecute taints.
#include "controllers/taint_eviction/controller.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace std::chrono_literals;

namespace {

struct Cluster : tests::TestCluster {
    Cluster() {
        add<controllers::TaintEvictionController>();
        create("nodes", R"({"metadata":{"name":"n"}})");
    }
    void pod(const char* name, const char* tolerations) {
        api::Json object = api::Json::parse(R"({"spec":{"nodeName":"n","containers":[{"name":"c","image":"i"}]}})");
        object["metadata"]["name"] = name;
        object["spec"]["tolerations"] = api::Json::parse(tolerations);
        create("pods", object);
    }
    void taint(const char* taints) {
        patch("nodes", "n", std::string(R"({"spec":{"taints":)") + taints + "}}");
        settle();
    }
    bool going(std::string_view name) { return api::find(get("pods", name), {"metadata", "deletionTimestamp"}) != nullptr; }
};

}  // namespace

TEST_CASE("pods leave at once, after their patience, or never") {
    Cluster cluster;
    cluster.pod("none", "[]");
    cluster.pod("short", R"([{"key":"k","operator":"Exists","effect":"NoExecute","tolerationSeconds":30}])");
    cluster.pod("ever", R"([{"key":"k","operator":"Equal","value":"v","effect":"NoExecute"}])");
    cluster.taint(R"([{"key":"k","value":"v","effect":"NoExecute"}])");
    CHECK(cluster.going("none"));
    const api::Json left = cluster.get("pods", "none");
    CHECK(api::string_at(api::array_at(left, {"status", "conditions"}).back(), {"reason"}) == "DeletionByTaintManager");
    CHECK_FALSE(cluster.going("short"));
    cluster.advance(29s);
    CHECK_FALSE(cluster.going("short"));
    cluster.advance(1s);
    CHECK(cluster.going("short"));
    cluster.advance(1h);
    CHECK_FALSE(cluster.going("ever"));
}

TEST_CASE("a taint that goes in time spares the pod; other effects evict nobody") {
    Cluster cluster;
    cluster.pod("p", R"([{"key":"k","operator":"Exists","effect":"NoExecute","tolerationSeconds":30}])");
    cluster.taint(R"([{"key":"k","effect":"NoExecute"}])");
    cluster.advance(20s);
    cluster.taint(R"([{"key":"k","effect":"NoSchedule"}])");
    cluster.advance(1h);
    CHECK_FALSE(cluster.going("p"));
    bool cancelled = false;
    for (const std::string& line : cluster.events()) cancelled |= line == "Normal TaintManagerEviction Pod/p: Cancelling deletion of Pod default/p";
    CHECK(cancelled);
}

TEST_CASE("a pod that is bound to a tainted node has its patience from then on") {
    Cluster cluster;
    cluster.taint(R"([{"key":"k","effect":"NoExecute"}])");
    cluster.advance(1h);
    cluster.pod("p", R"([{"key":"k","operator":"Exists","effect":"NoExecute","tolerationSeconds":30}])");
    cluster.advance(29s);
    CHECK_FALSE(cluster.going("p"));
    cluster.advance(2s);
    CHECK(cluster.going("p"));
}

TEST_CASE("evictions of pods of one name are counted in one event") {
    Cluster cluster;
    for (int i = 0; i < 2; ++i) {
        cluster.pod("p", "[]");
        cluster.taint(R"([{"key":"k","value":"v","effect":"NoExecute"}])");
        cluster.settle_with_pods();
        cluster.taint("[]");
        cluster.settle_with_pods();
    }
    const auto events = cluster.list("events");
    REQUIRE(events.size() == 1);
    CHECK(api::int_at(events.front(), {"count"}) == 2);
    CHECK_FALSE(events.front()["involvedObject"].contains("uid"));
}

TEST_CASE("other taints do not change a wait that has begun, but end it for a pod that does not tolerate them") {
    Cluster cluster;
    const char* both = R"([{"key":"k","operator":"Exists","effect":"NoExecute","tolerationSeconds":30},{"key":"quick","operator":"Exists","effect":"NoExecute","tolerationSeconds":2}])";
    cluster.pod("patient", both);
    cluster.pod("other", R"([{"key":"k","operator":"Exists","effect":"NoExecute","tolerationSeconds":30}])");
    cluster.taint(R"([{"key":"k","effect":"NoExecute"}])");
    cluster.advance(10s);
    cluster.taint(R"([{"key":"k","effect":"NoExecute"},{"key":"quick","effect":"NoExecute"}])");
    cluster.advance(5s);
    CHECK_FALSE(cluster.going("patient"));
    CHECK(cluster.going("other"));
    CHECK(cluster.events() == std::vector<std::string>{"Normal TaintManagerEviction Pod/other: Cancelling deletion of Pod default/other",
                                                       "Normal TaintManagerEviction Pod/other: Marking for deletion Pod default/other"});
    cluster.advance(15s);
    CHECK(cluster.going("patient"));
}

TEST_CASE("of a pod that is gone before its time the deletion is cancelled") {
    Cluster cluster;
    cluster.pod("p", R"([{"key":"k","operator":"Exists","effect":"NoExecute","tolerationSeconds":30}])");
    cluster.taint(R"([{"key":"k","effect":"NoExecute"}])");
    api::DeleteOptions at_once;
    at_once.grace_period_seconds = 0;
    cluster.remove("pods", "p", at_once);
    cluster.settle();
    CHECK(cluster.events() == std::vector<std::string>{"Normal TaintManagerEviction Pod/p: Cancelling deletion of Pod default/p"});
}

TEST_CASE("a node that goes takes no wait with it") {
    Cluster cluster;
    cluster.pod("p", R"([{"key":"k","operator":"Exists","effect":"NoExecute","tolerationSeconds":30}])");
    cluster.taint(R"([{"key":"k","effect":"NoExecute"}])");
    cluster.advance(10s);
    cluster.remove("nodes", "n");
    cluster.advance(19s);
    CHECK(cluster.events().empty());
    CHECK_FALSE(cluster.going("p"));
    cluster.advance(1s);
    CHECK(cluster.events() == std::vector<std::string>{"Normal TaintManagerEviction Pod/p: Marking for deletion Pod default/p"});
}
