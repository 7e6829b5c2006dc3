// Pods whose claims get devices: where they go, what is written, when they are looked at again.
#include "controllers/scheduler/dynamic_resources.h"

#include "scheduler_fixture.h"

using namespace kubemu;
using namespace kubemu::controllers;
using namespace std::chrono_literals;
using tests::Scheduling;

namespace {

const std::string no_help = " still not schedulable, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.";

struct Cluster : Scheduling {
    Cluster() {
        node("n1");
        node("n2");
        create("deviceclasses.resource.k8s.io", R"({"metadata":{"name":"gpu"},"spec":{"extendedResourceName":"example.com/gpu","selectors":[{"cel":{"expression":"device.driver == 'gpu.example'"}}]}})");
        slice("n2", R"([{"name":"gpu-0"}])");
    }
    void slice(const std::string& node_name, const char* list) {
        create("resourceslices.resource.k8s.io",
               api::Json{{"metadata", {{"name", "slice-" + node_name}}},
                         {"spec", {{"driver", "gpu.example"}, {"nodeName", node_name}, {"devices", api::Json::parse(list)},
                                   {"pool", {{"name", node_name}, {"generation", 1}, {"resourceSliceCount", 1}}}}}});
        settle();
    }
    void claim(const std::string& name, const char* exactly = "{}") {
        api::Json wish = {{"deviceClassName", "gpu"}};
        wish.update(api::Json::parse(exactly));
        create("resourceclaims.resource.k8s.io", api::Json{{"metadata", {{"name", name}}}, {"spec", {{"devices", {{"requests", api::Json::array({{{"name", "r"}, {"exactly", wish}}})}}}}}});
        settle();
    }
    void user(const std::string& name, const std::string& claim_name) {
        pod(name, R"({"resourceClaims":[{"name":"c","resourceClaimName":")" + claim_name + "\"}]}");
    }
    api::Json status(const std::string& claim_name) { return api::object_at(get("resourceclaims.resource.k8s.io", claim_name), {"status"}); }
    std::string device(const std::string& claim_name) {
        const api::Json state = status(claim_name);
        const api::Json& results = api::array_at(state, {"allocation", "devices", "results"});
        return results.empty() ? "" : std::string(api::string_at(results[0], {"pool"})) + "/" + std::string(api::string_at(results[0], {"device"}));
    }
    std::string users(const std::string& claim_name) {
        std::string names;
        const api::Json state = status(claim_name);
        for (const api::Json& consumer : api::array_at(state, {"reservedFor"}))
            names += (names.empty() ? "" : " ") + std::string(api::string_at(consumer, {"name"}));
        return names;
    }
};

}  // namespace

TEST_CASE("a pod goes where its claim can be given devices, and that is written down before it is bound") {
    Cluster cluster;
    cluster.claim("one");
    cluster.user("p", "one");
    CHECK(cluster.at("p") == "n2");
    CHECK(cluster.device("one") == "n2/gpu-0");
    CHECK(cluster.users("one") == "p");
    const api::Json claim = cluster.get("resourceclaims.resource.k8s.io", "one");
    CHECK(claim["metadata"]["finalizers"] == api::Json::array({"resource.kubernetes.io/delete-protection"}));
    CHECK(claim["status"]["allocation"].contains("allocationTimestamp"));
    CHECK(claim["status"]["allocation"]["nodeSelector"]["nodeSelectorTerms"][0]["matchFields"][0]["values"][0] == "n2");
}

TEST_CASE("a claim that is allocated may be shared, on the nodes that reach its devices") {
    Cluster cluster;
    cluster.claim("one");
    cluster.user("p", "one");
    cluster.user("q", "one");
    CHECK(cluster.at("q") == "n2");
    CHECK(cluster.users("one") == "p q");
    cluster.pod("r", R"({"resourceClaims":[{"name":"c","resourceClaimName":"one"}],"nodeSelector":{"kubernetes.io/hostname":"n1"}})");
    CHECK(cluster.why("r") == "0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 1 resourceclaim not available on the node." + no_help);
}

TEST_CASE("who finds nothing waits until devices come, or are given back") {
    Cluster cluster;
    cluster.claim("one");
    cluster.claim("two");
    cluster.claim("three");
    cluster.user("p", "one");
    cluster.user("q", "two");
    CHECK(cluster.why("q") == "0/2 nodes are available: 2 cannot allocate all claims." + no_help);
    cluster.advance(2s);  // of its back-off
    CHECK(cluster.count("FailedScheduling Pod/q") == 1);
    const api::Json writers = cluster.get("pods", "q")["metadata"]["managedFields"];
    CHECK(std::any_of(writers.begin(), writers.end(), [](const api::Json& entry) { return entry["manager"] == "kube-scheduler"; }));
    cluster.patch("resourceclaims.resource.k8s.io", "one", R"({"metadata":{"labels":{"some":"thing"}}})");
    cluster.advance(2s);
    CHECK(cluster.at("q").empty());
    cluster.slice("n1", R"([{"name":"gpu-7"}])");
    cluster.advance(12s);
    CHECK(cluster.at("q") == "n1");
    CHECK(cluster.device("two") == "n1/gpu-7");
    cluster.user("r", "three");
    CHECK(cluster.at("r").empty());
    cluster.patch("resourceclaims.resource.k8s.io", "one", R"({"status":{"reservedFor":null,"allocation":null}})", "status");
    cluster.advance(12s);
    CHECK(cluster.at("r") == "n2");
}

TEST_CASE("a pod is not looked at before its claims are there") {
    Cluster cluster;
    cluster.user("p", "late");
    CHECK(cluster.why("p").empty());
    CHECK(cluster.count("FailedScheduling") == 0);
    cluster.claim("late");
    CHECK(cluster.at("p") == "n2");
    // A claim from a template, once the pod's status names it.
    cluster.slice("n1", R"([{"name":"gpu-1"}])");
    cluster.pod("q", R"({"resourceClaims":[{"name":"c","resourceClaimTemplateName":"t"}]})");
    CHECK(cluster.why("q").empty());
    cluster.claim("q-c");
    cluster.patch("pods", "q", R"({"status":{"resourceClaimStatuses":[{"name":"c","resourceClaimName":"q-c"}]}})", "status");
    cluster.settle();
    CHECK(cluster.at("q").empty());  // it is not the pod's own
    const std::string uid(api::uid_of(cluster.get("pods", "q")));
    cluster.patch("resourceclaims.resource.k8s.io", "q-c", R"({"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"q","controller":true,"uid":")" + uid + "\"}]}}");
    cluster.settle();
    CHECK(cluster.at("q").empty());  // the claim's status is as it was
    cluster.node("n3");
    cluster.settle();
    CHECK(cluster.at("q") == "n1");
    cluster.pod("none", R"({"resourceClaims":[{"name":"c","resourceClaimTemplateName":"t"}]})");
    cluster.patch("pods", "none", R"({"status":{"resourceClaimStatuses":[{"name":"c"}]}})", "status");
    cluster.settle();
    CHECK_FALSE(cluster.at("none").empty());  // none is needed
}

TEST_CASE("classes that are not there, and selectors that cannot be answered") {
    Cluster cluster;
    cluster.claim("other", R"({"deviceClassName":"tpu"})");
    cluster.user("p", "other");
    CHECK(cluster.why("p") == "0/2 nodes are available: request r: device class tpu does not exist. no new claims to deallocate, "
                              "preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.");
    cluster.create("deviceclasses.resource.k8s.io", R"({"metadata":{"name":"tpu"}})");
    cluster.advance(12s);
    CHECK(cluster.at("p") == "n2");
    cluster.slice("n1", R"([{"name":"gpu-1"}])");
    cluster.claim("bad", R"({"selectors":[{"cel":{"expression":"device.attributes['gpu.example'].none == 1"}}]})");
    cluster.user("q", "bad");
    CHECK(cluster.why("q") == "running \"DynamicResources\" filter plugin: claim default/bad: selector #0: CEL runtime error: no such key: none");
    const api::Json pod = cluster.get("pods", "q");
    CHECK(pod["status"]["conditions"][0]["reason"] == "SchedulerError");
    cluster.remove("resourceslices.resource.k8s.io", "slice-n1", {}, "");
    cluster.advance(12s);  // it is tried again by itself
    CHECK(cluster.why("q") == "0/2 nodes are available: 2 cannot allocate all claims." + no_help);
}

TEST_CASE("an allocated claim that nobody uses gives way when its devices are out of reach") {
    Cluster cluster;
    cluster.claim("one");
    cluster.user("p", "one");
    cluster.remove_now("p");
    cluster.settle();
    CHECK(cluster.users("one") == "p");  // nobody takes it out here
    cluster.patch("resourceclaims.resource.k8s.io", "one", R"({"status":{"reservedFor":null}})", "status");
    cluster.slice("n1", R"([{"name":"gpu-1"}])");
    cluster.pod("q", R"({"resourceClaims":[{"name":"c","resourceClaimName":"one"}],"nodeSelector":{"kubernetes.io/hostname":"n1"}})");
    CHECK(cluster.count("deallocation of ResourceClaim completed, preemption: ") == 1);
    cluster.advance(12s);
    CHECK(cluster.at("q") == "n1");
    CHECK(cluster.device("one") == "n1/gpu-1");
}

TEST_CASE("devices say when they are ready, and the pod is bound then") {
    Cluster cluster;
    cluster.slice("n1", R"([{"name":"remote","bindingConditions":["attached"],"bindingFailureConditions":["failed"]}])");
    const auto report = [&](const std::string& type, const std::string& device) {
        cluster.patch("resourceclaims.resource.k8s.io", "one", R"({"status":{"devices":[{"driver":"gpu.example","pool":"n1","device":")" + device + R"(","conditions":[{"type":")" + type +
                          R"(","status":"True","reason":"R","message":"m","lastTransitionTime":"2024-01-01T00:00:00Z"}]}]}})", "status");
        cluster.settle();
    };
    cluster.claim("one");
    cluster.pod("p", R"({"resourceClaims":[{"name":"c","resourceClaimName":"one"}],"nodeSelector":{"kubernetes.io/hostname":"n1"}})");
    CHECK(cluster.device("one") == "n1/remote");
    CHECK(cluster.users("one") == "p");
    CHECK(cluster.at("p").empty());
    CHECK(cluster.count("Normal BindingConditionsPending Pod/p: waiting for binding conditions for device on node n1") == 1);
    SUBCASE("in time") {
        report("attached", "remote");
        CHECK(cluster.at("p") == "n1");
    }
    SUBCASE("never") {
        report("failed", "remote");
        CHECK(cluster.count("running PreBind plugin \"DynamicResources\": device binding failed: claim=one, reason=R, message=\"m\"") == 1);
        CHECK(cluster.users("one").empty());
        cluster.advance(2s);
        CHECK(cluster.count("deallocation of ResourceClaim completed") == 1);
    }
    SUBCASE("not in ten minutes") {
        cluster.advance(599s);
        CHECK(cluster.count("timeout") == 0);
        cluster.advance(2s);
        CHECK(cluster.count("running PreBind plugin \"DynamicResources\": device binding timeout: claim=one") >= 1);
    }
}

TEST_CASE("an extended resource that a class stands for becomes a claim of the pod") {
    Cluster cluster;
    cluster.pod("p", R"({"containers":[{"name":"c","image":"i","resources":{"requests":{"cpu":"1","example.com/gpu":"1"},"limits":{"example.com/gpu":"1"}}}]})");
    CHECK(cluster.at("p") == "n2");
    const auto claims = cluster.list("resourceclaims.resource.k8s.io");
    REQUIRE(claims.size() == 1);
    const std::string name(api::name_of(claims[0]));
    CHECK(name.starts_with("p-extended-resources-"));
    CHECK(claims[0]["metadata"]["annotations"]["resource.kubernetes.io/extended-resource-claim"] == "true");
    CHECK(claims[0]["spec"]["devices"]["requests"] ==
          api::Json::parse(R"([{"name":"container-0-request-1","exactly":{"deviceClassName":"gpu","allocationMode":"ExactCount","count":1}}])"));
    CHECK(cluster.device(name) == "n2/gpu-0");
    CHECK(cluster.users(name) == "p");
    CHECK(cluster.get("pods", "p")["status"]["extendedResourceClaimStatus"] ==
          api::Json{{"resourceClaimName", name}, {"requestMappings", api::Json::array({{{"containerName", "c"}, {"resourceName", "example.com/gpu"}, {"requestName", "container-0-request-1"}}})}});
    cluster.pod("q", R"({"containers":[{"name":"c","image":"i","resources":{"limits":{"deviceclass.resource.kubernetes.io/gpu":"1"}}}]})");
    CHECK(cluster.why("q") == "0/2 nodes are available: 2 cannot allocate all claims." + no_help);
    // A node that has the resource itself needs no claim for it.
    cluster.patch("nodes", "n1", R"({"status":{"allocatable":{"example.com/gpu":"2"}}})", "status", "");
    cluster.pod("r", R"({"containers":[{"name":"c","image":"i","resources":{"limits":{"example.com/gpu":"1"}}}]})");
    CHECK(cluster.at("r") == "n1");
    CHECK(cluster.list("resourceclaims.resource.k8s.io").size() == 1);
}

TEST_CASE("requests for extended resources: containers beside each other have their own, init containers use them first") {
    const auto made = scheduler::extended_requests(api::Json::parse(R"({"spec":{
        "initContainers":[{"name":"small","resources":{"requests":{"x/g":"1"}}},{"name":"side","restartPolicy":"Always","resources":{"requests":{"x/g":"1"}}},
                          {"name":"large","resources":{"requests":{"a":"1","x/g":"5"}}}],
        "containers":[{"name":"main","resources":{"requests":{"x/g":2}}},{"name":"none"}]}})"), {{"x/g", "c"}});
    const auto names = [](const api::Json& list, const char* first, const char* second) {
        std::string text;
        for (const api::Json& entry : list) text += std::string(api::string_at(entry, {first})) + ":" + std::string(api::string_at(entry, {second})) + " ";
        return text;
    };
    CHECK(names(*made.mappings, "containerName", "requestName") ==
          "side:container-1-request-0 main:container-3-request-0 small:container-1-request-0 large:container-3-request-0 large:container-2-request-1 ");
    REQUIRE(made.requests->size() == 3);
    CHECK((*made.requests)[0]["exactly"]["count"] == 1);  // of the sidecar
    CHECK((*made.requests)[1]["exactly"]["count"] == 3);  // what the large one lacks beside the main container's two
    CHECK((*made.requests)[2]["exactly"]["count"] == 2);
}

TEST_CASE("the node that gives the better alternative is preferred") {
    Cluster cluster;
    cluster.slice("n1", R"([{"name":"a"},{"name":"b"}])");
    cluster.create("resourceclaims.resource.k8s.io", R"({"metadata":{"name":"alt"},"spec":{"devices":{"requests":[{"name":"r","firstAvailable":[{"name":"two","deviceClassName":"gpu","count":2},{"name":"one","deviceClassName":"gpu"}]}]}}})");
    cluster.user("p", "alt");
    CHECK(cluster.at("p") == "n1");
    CHECK(cluster.status("alt")["allocation"]["devices"]["results"][0]["request"] == "r/two");
}

TEST_CASE("before 1.34 the scheduler leaves claims alone") {
    Scheduling older(scheduler::Release{33});
    older.node("n");
    older.pod("p", R"({"resourceClaims":[{"name":"c","resourceClaimName":"none"}]})");
    CHECK(older.at("p") == "n");
}
