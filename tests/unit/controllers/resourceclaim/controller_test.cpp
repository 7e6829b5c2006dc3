// Claims that pods get from templates, who uses a claim, and when it is free again.
#include "controllers/resourceclaim/controller.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace kubemu::controllers;
using tests::TestCluster;

namespace {

struct Cluster : TestCluster {
    Cluster() {
        add<ResourceClaimController>();
        settle();
    }
    void make_template(const char* name = "t") {
        create("resourceclaimtemplates.resource.k8s.io", api::Json{{"metadata", {{"name", name}}},
            {"spec", {{"metadata", {{"labels", {{"l", "v"}}}, {"annotations", {{"a", "b"}}}}},
                      {"spec", {{"devices", {{"requests", api::Json::array({{{"name", "r"}, {"exactly", {{"deviceClassName", "c"}}}}})}}}}}}}});
        settle();
    }
    void pod(const std::string& name, const char* claims = R"([{"name":"gpu","resourceClaimTemplateName":"t"}])", const char* node = nullptr) {
        api::Json object = {{"metadata", {{"name", name}}},
                            {"spec", {{"containers", api::Json::array({{{"name", "c"}, {"image", "i"}}})}, {"resourceClaims", api::Json::parse(claims)}}}};
        if (node != nullptr) object["spec"]["nodeName"] = node;
        create("pods", object);
        settle();
    }
    void claim(const std::string& name) {
        create("resourceclaims.resource.k8s.io", api::Json{{"metadata", {{"name", name}}},
            {"spec", {{"devices", {{"requests", api::Json::array({{{"name", "r"}, {"exactly", {{"deviceClassName", "c"}}}}})}}}}}});
        settle();
    }
    // As the scheduler does.
    void allocate(const std::string& name, const std::vector<std::string>& pods) {
        api::Json consumers = api::Json::array();
        for (const std::string& user : pods)
            consumers.push_back({{"resource", "pods"}, {"name", user}, {"uid", exists("pods", user) ? api::uid_of(get("pods", user)) : "gone"}});
        patch("resourceclaims.resource.k8s.io", name, R"({"metadata":{"finalizers":["resource.kubernetes.io/delete-protection"]}})");
        const api::Json status = {{"status", {{"reservedFor", consumers},
            {"allocation", {{"devices", {{"results", api::Json::array({{{"request", "r"}, {"driver", "d.example"}, {"pool", "p"}, {"device", "d"}}})}}}}}}}};
        patch("resourceclaims.resource.k8s.io", name, status.dump(), "status");
        settle();
    }
    std::vector<api::Json> claims() { return list("resourceclaims.resource.k8s.io"); }
    // "allocated protected a b": what it has, and who uses it.
    std::string state(const std::string& name) {
        if (!exists("resourceclaims.resource.k8s.io", name)) return "gone";
        const api::Json claim = get("resourceclaims.resource.k8s.io", name);
        std::string text = api::find(claim, {"status", "allocation"}) != nullptr ? "allocated" : "free";
        if (!api::array_at(claim, {"metadata", "finalizers"}).empty()) text += " protected";
        for (const api::Json& consumer : api::array_at(claim, {"status", "reservedFor"})) text += " " + std::string(api::string_at(consumer, {"name"}));
        return text;
    }
    void remove_now(const char* name) {
        api::DeleteOptions options;
        options.grace_period_seconds = 0;
        remove("pods", name, options);
        settle();
    }
};

const char* uses_shared = R"([{"name":"gpu","resourceClaimName":"shared"}])";

}  // namespace

TEST_CASE("a pod gets a claim of its own from a template, and its status names it") {
    Cluster cluster;
    cluster.make_template();
    cluster.pod("p");
    REQUIRE(cluster.claims().size() == 1);
    const api::Json claim = cluster.claims()[0], pod = cluster.get("pods", "p");
    const std::string name(api::name_of(claim));
    CHECK(name.starts_with("p-gpu-"));
    CHECK(claim["metadata"]["generateName"] == "p-gpu-");
    CHECK(claim["metadata"]["labels"] == api::Json{{"l", "v"}});
    CHECK(claim["metadata"]["annotations"] == api::Json{{"a", "b"}, {"resource.kubernetes.io/pod-claim-name", "gpu"}});
    CHECK(claim["metadata"]["ownerReferences"] ==
          api::Json::array({{{"apiVersion", "v1"}, {"kind", "Pod"}, {"name", "p"}, {"uid", api::uid_of(pod)}, {"controller", true}}}));
    CHECK(claim["spec"]["devices"]["requests"][0]["exactly"]["deviceClassName"] == "c");
    CHECK(pod["status"]["resourceClaimStatuses"] == api::Json::array({{{"name", "gpu"}, {"resourceClaimName", name}}}));
    bool applied = false;
    for (const api::Json& entry : pod["metadata"]["managedFields"])
        applied = applied || (entry["manager"] == "ResourceClaimController" && entry["operation"] == "Apply" && entry["subresource"] == "status");
    CHECK(applied);
    // A claim that goes while the pod wants it is made again.
    cluster.remove("resourceclaims.resource.k8s.io", name);
    cluster.settle();
    REQUIRE(cluster.claims().size() == 1);
    CHECK(cluster.get("pods", "p")["status"]["resourceClaimStatuses"][0]["resourceClaimName"] == api::name_of(cluster.claims()[0]));
}

TEST_CASE("a template may come later; until then the pod's events say what is missing") {
    Cluster cluster;
    cluster.pod("p");
    CHECK(cluster.claims().empty());
    REQUIRE_FALSE(cluster.events().empty());
    CHECK(cluster.events()[0] == "Warning FailedResourceClaimCreation Pod/p: PodResourceClaim gpu: resource claim template \"t\": "
                                 "resourceclaimtemplate.resource.k8s.io \"t\" not found");
    cluster.make_template();
    CHECK(cluster.claims().size() == 1);
}

TEST_CASE("long names are cut so that both parts remain") {
    Cluster cluster;
    cluster.make_template();
    const std::string claim_name(40, 'c');
    cluster.pod(std::string(60, 'p'), ("[{\"name\":\"" + claim_name + "\",\"resourceClaimTemplateName\":\"t\"}]").c_str());
    REQUIRE(cluster.claims().size() == 1);
    // 60 * 57 / 102 and 40 * 57 / 102 characters.
    CHECK(cluster.claims()[0]["metadata"]["generateName"] == std::string(33, 'p') + "-" + std::string(22, 'c'));
}

TEST_CASE("consumers that end are taken out; with the last one the claim is free") {
    Cluster cluster;
    cluster.claim("shared");
    for (const char* name : {"a", "b"}) cluster.pod(name, uses_shared);
    cluster.allocate("shared", {"a", "b", "ghost"});
    CHECK(cluster.state("shared") == "allocated protected a b");
    cluster.set_pod("a", "Succeeded", false);
    cluster.settle();
    CHECK(cluster.state("shared") == "allocated protected b");
    cluster.remove_now("b");
    CHECK(cluster.state("shared") == "free");
}

TEST_CASE("what drivers reported of its devices goes with them") {
    Cluster cluster;
    cluster.claim("shared");
    cluster.pod("a", uses_shared);
    cluster.allocate("shared", {"a"});
    cluster.patch("resourceclaims.resource.k8s.io", "shared", R"({"status":{"devices":[{"driver":"d.example","pool":"p","device":"d","data":{"x":1}}]}})", "status");
    cluster.settle();
    CHECK(cluster.get("resourceclaims.resource.k8s.io", "shared")["status"]["devices"].size() == 1);
    cluster.remove_now("a");
    CHECK(cluster.state("shared") == "free");
    CHECK_FALSE(cluster.get("resourceclaims.resource.k8s.io", "shared")["status"].contains("devices"));
}

TEST_CASE("a claim that is allocated and not used stays so; deleted, it goes") {
    Cluster cluster;
    cluster.claim("shared");
    cluster.allocate("shared", {});
    CHECK(cluster.state("shared") == "allocated protected");
    cluster.remove("resourceclaims.resource.k8s.io", "shared");
    cluster.settle();
    CHECK(cluster.state("shared") == "gone");
}

TEST_CASE("a claim that is deleted while it is used stays until its last consumer ends") {
    Cluster cluster;
    cluster.claim("shared");
    cluster.pod("a", uses_shared);
    cluster.allocate("shared", {"a"});
    cluster.remove("resourceclaims.resource.k8s.io", "shared");
    cluster.settle();
    CHECK(cluster.state("shared") == "allocated protected a");
    cluster.remove_now("a");
    CHECK(cluster.state("shared") == "gone");
}

TEST_CASE("a claim that was made for a pod goes when the pod is done, not only when it is gone") {
    Cluster cluster;
    cluster.make_template();
    cluster.pod("p");
    const std::string name(api::name_of(cluster.claims().at(0)));
    cluster.allocate(name, {"p"});
    cluster.set_pod("p", "Failed", false);
    cluster.settle();
    CHECK(cluster.state(name) == "gone");
    CHECK(cluster.claims().empty());  // and no other is made
    CHECK(cluster.exists("pods", "p"));
}

TEST_CASE("a pod that somebody else gave its node is made a consumer of claims that are allocated") {
    Cluster cluster;
    cluster.claim("shared");
    cluster.pod("a", uses_shared, "node-0");
    CHECK(cluster.state("shared") == "free");
    cluster.allocate("shared", {});
    CHECK(cluster.state("shared") == "allocated protected a");
    cluster.pod("b", uses_shared, "node-0");
    CHECK(cluster.state("shared") == "allocated protected a b");
}

TEST_CASE("consumers that are no pods are left alone") {
    Cluster cluster;
    cluster.claim("shared");
    cluster.allocate("shared", {});
    cluster.patch("resourceclaims.resource.k8s.io", "shared", R"({"status":{"reservedFor":[{"apiGroup":"example.com","resource":"things","name":"x","uid":"1"}]}})", "status");
    cluster.settle();
    CHECK(cluster.state("shared") == "allocated protected x");
}
