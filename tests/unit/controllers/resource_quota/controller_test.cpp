// What a namespace uses, as objects come, end and go.
#include "controllers/resource_quota/controller.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/harness/test_cluster.h"

using namespace kubemu;

namespace {

struct Cluster : tests::TestCluster {
    Cluster() { add<controllers::ResourceQuotaController>(); }
    void quota(const char* spec) {
        create("resourcequotas", api::Json{{"apiVersion", "v1"}, {"kind", "ResourceQuota"}, {"metadata", {{"name", "q"}}}, {"spec", api::Json::parse(spec)}});
        settle();
    }
    void pod(const char* name, const char* cpu, const char* more = "{}") {
        api::Json object = {{"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", {{"name", name}}},
                            {"spec", {{"containers", api::Json::array({{{"name", "c"}, {"image", "i"}}})}}}};
        if (cpu != nullptr) object["spec"]["containers"][0]["resources"]["requests"]["cpu"] = cpu;
        object["spec"].merge_patch(api::Json::parse(more));
        create("pods", object);
        settle();
    }
    std::string used(std::string_view name) { return std::string(api::string_at(get("resourcequotas", "q"), {"status", "used", name})); }
};

}  // namespace

TEST_CASE("use follows what is there") {
    Cluster cluster;
    cluster.pod("before", "250m");
    cluster.quota(R"({"hard":{"pods":"4","requests.cpu":"2","count/configmaps":"3","services":"1","example.com/thing":"1"}})");
    CHECK(cluster.used("pods") == "1");
    CHECK(cluster.used("requests.cpu") == "250m");
    CHECK(cluster.used("services") == "0");
    CHECK(cluster.used("example.com/thing").empty());
    cluster.pod("p", "1");
    CHECK(cluster.used("requests.cpu") == "1250m");
    cluster.set_pod("p", "Succeeded", false);
    cluster.settle();
    CHECK(cluster.used("pods") == "1");
    cluster.remove("pods", "before");
    cluster.settle();
    CHECK(cluster.used("pods") == "0");
    CHECK(cluster.used("requests.cpu") == "0");
    cluster.create("configmaps", R"({"metadata":{"name":"m"}})");
    cluster.settle();
    CHECK(cluster.used("count/configmaps") == "1");
}

TEST_CASE("a changed limit is taken over at once") {
    Cluster cluster;
    cluster.quota(R"({"hard":{"pods":"4"}})");
    cluster.patch("resourcequotas", "q", R"({"spec":{"hard":{"pods":"7","services":"2"}}})");
    cluster.settle();
    CHECK(api::string_at(cluster.get("resourcequotas", "q"), {"status", "hard", "pods"}) == "7");
    CHECK(cluster.used("services") == "0");
}

TEST_CASE("scopes choose the pods") {
    Cluster best_effort;
    best_effort.quota(R"({"hard":{"pods":"5"},"scopes":["BestEffort"]})");
    best_effort.pod("plain", nullptr);
    best_effort.pod("asking", "1");
    CHECK(best_effort.used("pods") == "1");

    Cluster terminating;
    terminating.quota(R"({"hard":{"pods":"5"},"scopes":["Terminating"]})");
    terminating.pod("for-ever", nullptr);
    terminating.pod("limited", nullptr, R"({"activeDeadlineSeconds":60})");
    CHECK(terminating.used("pods") == "1");
}

TEST_CASE("sidecars and overhead count, the largest init container counts instead when it is larger") {
    Cluster cluster;
    cluster.quota(R"({"hard":{"pods":"5","requests.cpu":"10"}})");
    cluster.pod("p", "1", R"({"initContainers":[
        {"name":"side","image":"i","restartPolicy":"Always","resources":{"requests":{"cpu":"500m"}}},
        {"name":"once","image":"i","resources":{"requests":{"cpu":"2"}}}]})");
    CHECK(cluster.used("requests.cpu") == "2500m");
}
