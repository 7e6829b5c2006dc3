// Ordered pods with names and claims, on a simulated clock.
#include "controllers/statefulset/controller.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/harness/test_cluster.h"

using namespace kubemu;

namespace {

struct Cluster : tests::TestCluster {
    Cluster() { add<controllers::StatefulSetController>(); }
    void make(int replicas, std::string_view changes = "{}") {
        api::Json object = api::Json::parse(R"({"apiVersion":"apps/v1","kind":"StatefulSet","metadata":{"name":"db"},
            "spec":{"serviceName":"svc","selector":{"matchLabels":{"app":"db"}},"template":{"metadata":{"labels":{"app":"db"}},
            "spec":{"containers":[{"name":"main","image":"pg:1"}]}},"volumeClaimTemplates":[{"metadata":{"name":"data"},
            "spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}]}})");
        object["spec"]["replicas"] = replicas;
        object.merge_patch(api::Json::parse(changes));
        create("statefulsets.apps", object);
    }
    // "db-0=pg:1 db-1=pg:2"
    std::string pods() {
        std::string text;
        for (const api::Json& pod : list("pods")) {
            text.append(text.empty() ? "" : " ").append(api::name_of(pod)).append("=");
            text.append(api::string_at(pod["spec"]["containers"][0], {"image"}));
        }
        return text;
    }
    void set_image(const std::string& image) {
        patch("statefulsets.apps", "db", R"({"spec":{"template":{"spec":{"containers":[{"name":"main","image":")" + image + R"("}]}}}})");
    }
    api::Json status() { return get("statefulsets.apps", "db")["status"]; }
};

}  // namespace

TEST_CASE("pods come one after the other and go in reverse") {
    Cluster cluster;
    cluster.make(3);
    cluster.settle();
    CHECK(cluster.pods() == "db-0=pg:1");
    cluster.run_pods();
    cluster.settle();
    CHECK(cluster.pods() == "db-0=pg:1 db-1=pg:1");
    cluster.settle_with_pods();
    CHECK(cluster.pods() == "db-0=pg:1 db-1=pg:1 db-2=pg:1");
    const api::Json pod = cluster.get("pods", "db-1");
    CHECK(api::string_at(pod, {"metadata", "labels", "statefulset.kubernetes.io/pod-name"}) == "db-1");
    CHECK(api::string_at(pod, {"metadata", "labels", "apps.kubernetes.io/pod-index"}) == "1");
    CHECK(api::string_at(pod, {"spec", "hostname"}) == "db-1");
    CHECK(api::string_at(pod, {"spec", "subdomain"}) == "svc");
    CHECK(cluster.exists("persistentvolumeclaims", "data-db-2"));
    const api::Json status = cluster.status();
    CHECK(api::int_at(status, {"readyReplicas"}) == 3);
    CHECK(api::int_at(status, {"currentReplicas"}) == 3);
    CHECK(api::string_at(status, {"currentRevision"}) == api::string_at(status, {"updateRevision"}));

    cluster.patch("statefulsets.apps", "db", R"({"spec":{"replicas":1}})");
    cluster.settle();
    CHECK_FALSE(cluster.get("pods", "db-1")["metadata"].contains("deletionTimestamp"));
    CHECK(cluster.get("pods", "db-2")["metadata"].contains("deletionTimestamp"));
    cluster.settle_with_pods();
    CHECK(cluster.pods() == "db-0=pg:1");
    CHECK(cluster.exists("persistentvolumeclaims", "data-db-2"));  // retained
    const auto events = cluster.events();
    CHECK(events[0] == "Normal SuccessfulCreate StatefulSet/db: create Claim data-db-0 Pod db-0 in StatefulSet db success");
    CHECK(events[1] == "Normal SuccessfulCreate StatefulSet/db: create Pod db-0 in StatefulSet db successful");
}

TEST_CASE("a partition keeps the lower ordinals; without it the rest follows, downwards") {
    Cluster cluster;
    cluster.make(3, R"({"spec":{"updateStrategy":{"rollingUpdate":{"partition":2}}}})");
    cluster.settle_with_pods();
    cluster.set_image("pg:2");
    cluster.settle_with_pods();
    CHECK(cluster.pods() == "db-0=pg:1 db-1=pg:1 db-2=pg:2");
    CHECK(api::int_at(cluster.status(), {"updatedReplicas"}) == 1);
    cluster.patch("statefulsets.apps", "db", R"({"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}})");
    cluster.settle_with_pods();
    CHECK(cluster.pods() == "db-0=pg:2 db-1=pg:2 db-2=pg:2");
    CHECK(api::string_at(cluster.status(), {"currentRevision"}) == api::string_at(cluster.status(), {"updateRevision"}));
    CHECK(cluster.list("controllerrevisions.apps").size() == 2);
    cluster.set_image("pg:1");  // the old revision comes back with the next number
    cluster.settle_with_pods();
    CHECK(cluster.list("controllerrevisions.apps").size() == 2);
    CHECK(cluster.pods() == "db-0=pg:1 db-1=pg:1 db-2=pg:1");
}

TEST_CASE("Parallel, OnDelete, start ordinals and failed pods") {
    Cluster cluster;
    cluster.make(2, R"({"spec":{"podManagementPolicy":"Parallel","ordinals":{"start":5},"updateStrategy":{"type":"OnDelete","rollingUpdate":null}}})");
    cluster.settle();
    CHECK(cluster.pods() == "db-5=pg:1 db-6=pg:1");
    cluster.settle_with_pods();
    cluster.set_image("pg:2");
    cluster.settle_with_pods();
    CHECK(cluster.pods() == "db-5=pg:1 db-6=pg:1");
    cluster.remove("pods", "db-5");
    cluster.settle_with_pods();
    CHECK(cluster.pods() == "db-5=pg:2 db-6=pg:1");
    cluster.set_pod("db-6", "Failed", false);
    cluster.settle_with_pods();
    CHECK(cluster.pods() == "db-5=pg:2 db-6=pg:2");
}

TEST_CASE("as many pods as maxUnavailable says are replaced at a time, from the top") {
    Cluster cluster;
    cluster.make(5, R"({"spec":{"podManagementPolicy":"Parallel","updateStrategy":{"rollingUpdate":{"maxUnavailable":3}}}})");
    cluster.settle_with_pods();
    cluster.set_image("pg:2");
    cluster.settle();
    std::string going;
    for (const api::Json& pod : cluster.list("pods"))
        if (pod["metadata"].contains("deletionTimestamp")) going += std::string(api::name_of(pod)) + " ";
    CHECK(going == "db-2 db-3 db-4 ");
    cluster.settle_with_pods();
    CHECK(cluster.pods() == "db-0=pg:2 db-1=pg:2 db-2=pg:2 db-3=pg:2 db-4=pg:2");
}

TEST_CASE("an update whose pods never become ready stops at the first of them, and a repaired template replaces it") {
    Cluster cluster;
    cluster.make(3, R"({"spec":{"podManagementPolicy":"Parallel"}})");
    cluster.settle_with_pods();
    const auto good = [](const api::Json& pod) { return api::string_at(pod["spec"]["containers"][0], {"image"}) != "pg:bad"; };
    cluster.set_image("pg:bad");
    cluster.settle_with_pods(good);
    CHECK(cluster.pods() == "db-0=pg:1 db-1=pg:1 db-2=pg:bad");
    CHECK(api::int_at(cluster.status(), {"readyReplicas"}) == 2);
    cluster.set_image("pg:2");
    cluster.settle_with_pods(good);
    CHECK(cluster.pods() == "db-0=pg:2 db-1=pg:2 db-2=pg:2");
}

TEST_CASE("claims go with their pods or with their set as the retention policy says, or stay") {
    const auto owners = [](Cluster& cluster, const char* claim) {
        std::string kinds;
        const api::Json object = cluster.get("persistentvolumeclaims", claim);
        for (const api::Json& owner : api::array_at(object, {"metadata", "ownerReferences"}))
            kinds += std::string(api::string_at(owner, {"kind"})) + "/" + std::string(api::string_at(owner, {"name"})) + " ";
        return kinds;
    };
    Cluster by_scale;
    by_scale.make(2, R"({"spec":{"persistentVolumeClaimRetentionPolicy":{"whenScaled":"Delete","whenDeleted":"Retain"}}})");
    by_scale.settle_with_pods();
    CHECK(owners(by_scale, "data-db-1").empty());
    by_scale.patch("statefulsets.apps", "db", R"({"spec":{"replicas":1}})");
    by_scale.settle();
    CHECK(owners(by_scale, "data-db-1") == "Pod/db-1 ");  // the garbage collector takes it after the pod
    CHECK(owners(by_scale, "data-db-0").empty());
    Cluster by_set;
    by_set.make(1, R"({"spec":{"persistentVolumeClaimRetentionPolicy":{"whenScaled":"Retain","whenDeleted":"Delete"}}})");
    by_set.settle_with_pods();
    CHECK(owners(by_set, "data-db-0") == "StatefulSet/db ");
    by_set.patch("statefulsets.apps", "db", R"({"spec":{"persistentVolumeClaimRetentionPolicy":{"whenScaled":"Retain","whenDeleted":"Retain"}}})");
    by_set.settle();
    CHECK(owners(by_set, "data-db-0").empty());
}

TEST_CASE("a claim that somebody else controls is left to them, and that is told") {
    Cluster cluster;
    const api::Json theirs = {{{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"name", "owner"}, {"uid", "1-2-3"}, {"controller", true}}};
    cluster.create("persistentvolumeclaims", api::Json{{"metadata", {{"name", "data-db-0"}, {"ownerReferences", theirs}}},
        {"spec", {{"accessModes", {"ReadWriteOnce"}}, {"resources", {{"requests", {{"storage", "1Gi"}}}}}}}});
    cluster.make(1, R"({"spec":{"persistentVolumeClaimRetentionPolicy":{"whenScaled":"Retain","whenDeleted":"Delete"}}})");
    cluster.settle_with_pods();
    CHECK(api::array_at(cluster.get("persistentvolumeclaims", "data-db-0"), {"metadata", "ownerReferences"}).size() == 1);
    std::size_t told = 0;
    for (const std::string& event : cluster.events()) {
        told += event == "Warning ConflictingController StatefulSet/db: PersistentVolumeClaim data-db-0 has a conflicting "
                         "OwnerReference that acts as a manging controller, the retention policy is ignored for this claim";
    }
    CHECK(told == 1);
}

TEST_CASE("minReadySeconds holds the next pod back") {
    Cluster cluster;
    cluster.make(2, R"({"spec":{"minReadySeconds":30}})");
    cluster.settle();
    cluster.run_pods();
    cluster.settle();
    CHECK(cluster.pods() == "db-0=pg:1");
    CHECK(api::int_at(cluster.status(), {"readyReplicas"}) == 1);
    CHECK(api::int_at(cluster.status(), {"availableReplicas"}) == 0);
    cluster.advance(std::chrono::seconds(31));
    CHECK(cluster.pods() == "db-0=pg:1 db-1=pg:1");
    CHECK(api::int_at(cluster.status(), {"availableReplicas"}) == 1);
}

TEST_CASE("revisions beyond the limit go, those in use stay; a taken name is avoided") {
    Cluster cluster;
    cluster.make(1, R"({"spec":{"revisionHistoryLimit":1}})");
    cluster.settle_with_pods();
    for (const char* image : {"pg:2", "pg:3", "pg:4"}) {
        cluster.set_image(image);
        cluster.settle_with_pods();
    }
    CHECK(cluster.list("controllerrevisions.apps").size() == 2);  // the one in use and one of history
    // Somebody has made a revision of the name that the next one would have, with other contents.
    Cluster first;
    first.make(1);
    first.settle_with_pods();
    const api::Json revision = first.list("controllerrevisions.apps")[0];
    Cluster other;
    other.create("controllerrevisions.apps", api::Json{{"metadata", {{"name", revision["metadata"]["name"]}}}, {"revision", 1}, {"data", {{"spec", "else"}}}});
    other.make(1);
    other.settle_with_pods();
    CHECK(other.pods() == "db-0=pg:1");
    CHECK(api::int_at(other.status(), {"collisionCount"}) == 1);
    CHECK(other.list("controllerrevisions.apps").size() == 2);
}

TEST_CASE("a revision is named as kube-controller-manager names it, after the hash of its data") {
    Cluster cluster;
    cluster.make(0, R"({"spec":{"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web","x":"t1"}},
        "spec":{"containers":[{"name":"c","image":"nginx:1.25"}]}}}})");
    cluster.settle();
    const api::Json revisions = cluster.list("controllerrevisions.apps");
    REQUIRE(revisions.size() == 1);
    CHECK(revisions[0]["metadata"]["name"] == "db-5f6ddf6965");
    CHECK(revisions[0]["data"]["spec"]["template"]["metadata"].contains("creationTimestamp") == false);
}

TEST_CASE("the last revision may say the same in the words of an older release, an earlier one may not") {
    Cluster first;
    first.make(0);
    first.settle();
    api::Json old = {{"metadata", {{"name", "old"}, {"labels", {{"app", "db"}}}}}, {"revision", 1}};
    old["data"] = first.list("controllerrevisions.apps")[0]["data"];
    old["data"]["spec"]["template"]["metadata"]["creationTimestamp"] = nullptr;
    old["data"]["spec"]["template"]["spec"].erase("dnsPolicy");
    Cluster upgraded;
    upgraded.create("controllerrevisions.apps", old);
    upgraded.make(0);
    upgraded.settle();
    CHECK(upgraded.list("controllerrevisions.apps").size() == 1);
    CHECK(upgraded.status()["updateRevision"] == "old");
    Cluster later;
    later.create("controllerrevisions.apps", old);
    later.create("controllerrevisions.apps", R"({"metadata":{"name":"other","labels":{"app":"db"}},"revision":2,"data":{"spec":{}}})");
    later.make(0);
    later.settle();
    CHECK(later.list("controllerrevisions.apps").size() == 3);
    CHECK(later.get("controllerrevisions.apps", std::string(later.status()["updateRevision"]))["revision"] == 3);
}

TEST_CASE("a partition counts from the first ordinal") {
    Cluster cluster;
    cluster.make(3, R"({"spec":{"ordinals":{"start":4},"updateStrategy":{"rollingUpdate":{"partition":2}}}})");
    cluster.settle_with_pods();
    cluster.set_image("pg:2");
    cluster.settle_with_pods();
    CHECK(cluster.pods() == "db-4=pg:1 db-5=pg:1 db-6=pg:2");
    cluster.patch("statefulsets.apps", "db", R"({"spec":{"updateStrategy":{"rollingUpdate":{"partition":5}}}})");
    cluster.set_image("pg:3");
    cluster.settle_with_pods();
    CHECK(cluster.pods() == "db-4=pg:1 db-5=pg:1 db-6=pg:2");
}

namespace {

std::int64_t count_of(tests::TestCluster& cluster, const std::string& message) {
    std::int64_t count = 0;
    for (const api::Json& event : cluster.list("events"))
        if (api::string_at(event, {"message"}) == message) count += api::int_at(event, {"count"});
    return count;
}

}  // namespace

TEST_CASE("pods whose claims are refused are told of, a batch of them at a time") {
    Cluster cluster;
    cluster.create("resourcequotas", R"({"metadata":{"name":"q"},"spec":{"hard":{"persistentvolumeclaims":"1"}}})");
    cluster.patch("resourcequotas", "q", R"({"status":{"hard":{"persistentvolumeclaims":"1"},"used":{"persistentvolumeclaims":"0"}}})", "status");
    cluster.make(5, R"({"spec":{"podManagementPolicy":"Parallel"}})");
    cluster.settle();
    CHECK(cluster.pods() == "db-0=pg:1");
    const auto refused = [](const std::string& ordinal) {
        return "persistentvolumeclaims \"data-db-" + ordinal + "\" is forbidden: exceeded quota: q, requested: persistentvolumeclaims=1, "
               "used: persistentvolumeclaims=1, limited: persistentvolumeclaims=1";
    };
    for (const std::string ordinal : {"1", "2"}) {
        CHECK(count_of(cluster, "create Claim data-db-" + ordinal + " for Pod db-" + ordinal + " in StatefulSet db failed error: " + refused(ordinal)) > 0);
        CHECK(count_of(cluster, "create Pod db-" + ordinal + " in StatefulSet db failed error: failed to create PVC data-db-" + ordinal + ": " +
                                    refused(ordinal)) > 0);
    }
    CHECK(count_of(cluster, "create Claim data-db-3 for Pod db-3 in StatefulSet db failed error: " + refused("3")) == 0);
}

TEST_CASE("an adopted pod and the owners of claims are put in form, which is told") {
    Cluster cluster;
    cluster.create("pods", R"({"metadata":{"name":"db-0","labels":{"app":"db"}},"spec":{"containers":[{"name":"main","image":"mine"}]}})");
    cluster.run_pods();
    cluster.make(1, R"({"spec":{"volumeClaimTemplates":null,"updateStrategy":{"type":"OnDelete"}}})");
    cluster.settle();
    CHECK(api::string_at(cluster.get("pods", "db-0"), {"metadata", "labels", "statefulset.kubernetes.io/pod-name"}) == "db-0");
    CHECK(count_of(cluster, "update Pod db-0 in StatefulSet db successful") == 1);

    Cluster retaining;
    retaining.make(2);
    retaining.settle_with_pods();
    CHECK(count_of(retaining, "update Pod db-1 in StatefulSet db successful") == 0);
    retaining.patch("statefulsets.apps", "db", R"({"spec":{"persistentVolumeClaimRetentionPolicy":{"whenDeleted":"Delete"}}})");
    retaining.settle();
    CHECK(count_of(retaining, "update Pod db-1 in StatefulSet db successful") == 1);

    Cluster pending;
    pending.make(1);
    pending.settle();
    pending.patch("statefulsets.apps", "db", R"({"spec":{"persistentVolumeClaimRetentionPolicy":{"whenDeleted":"Delete"}}})");
    pending.settle();
    CHECK(api::array_at(pending.get("persistentvolumeclaims", "data-db-0"), {"metadata", "ownerReferences"}).size() == 1);
    CHECK(count_of(pending, "update Pod db-0 in StatefulSet db successful") == 0);
}

TEST_CASE("a pod that lacks the volumes of its claims cannot be adopted in form") {
    Cluster cluster;
    cluster.create("pods", R"({"metadata":{"name":"db-0","labels":{"app":"db"}},"spec":{"containers":[{"name":"main","image":"mine"}]}})");
    cluster.run_pods();
    cluster.make(1, R"({"spec":{"updateStrategy":{"type":"OnDelete"}}})");
    cluster.settle();
    CHECK(cluster.exists("persistentvolumeclaims", "data-db-0"));
    bool told = false;
    for (const std::string& line : cluster.events())
        told |= line.starts_with("Warning FailedUpdate StatefulSet/db: update Pod db-0 in StatefulSet db failed error: Pod \"db-0\" is invalid: spec: Forbidden:");
    CHECK(told);
}

TEST_CASE("a percentage of maxUnavailable is rounded down, to one at least") {
    for (const auto& [percentage, left] : {std::pair("59%", 2), std::pair("10%", 3)}) {
        Cluster cluster;
        cluster.make(4, R"({"spec":{"podManagementPolicy":"Parallel","updateStrategy":{"rollingUpdate":{"maxUnavailable":")" + std::string(percentage) + R"("}}}})");
        cluster.settle_with_pods();
        cluster.set_image("pg:2");
        cluster.settle();
        int there = 0;
        for (const api::Json& pod : cluster.list("pods")) there += api::find(pod, {"metadata", "deletionTimestamp"}) == nullptr;
        CHECK(there == left);
    }
}
