// Claims and volumes.
#include "controllers/persistent_volume/controller.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "controllers/ephemeral_volume/controller.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;

namespace {

struct Cluster : tests::TestCluster {
    Cluster() { add<controllers::PersistentVolumeController>(); }
    void volume(const char* name, const char* size, const char* more = "{}") {
        api::Json object = api::Json::parse(R"({"spec":{"accessModes":["ReadWriteOnce"],"storageClassName":"manual","hostPath":{"path":"/x"}}})");
        object["metadata"]["name"] = name;
        object["spec"]["capacity"]["storage"] = size;
        object.merge_patch(api::Json::parse(more));
        create("persistentvolumes", object);
        settle();
    }
    void claim(const char* name, const char* size, const char* class_name = "manual", const char* more = "{}") {
        api::Json object = api::Json::parse(R"({"spec":{"accessModes":["ReadWriteOnce"]}})");
        object["metadata"]["name"] = name;
        object["spec"]["resources"]["requests"]["storage"] = size;
        object["spec"]["storageClassName"] = class_name;
        object.merge_patch(api::Json::parse(more));
        create("persistentvolumeclaims", object);
        settle();
    }
    void storage_class(const char* more = "{}") {
        api::Json object = api::Json::parse(R"({"metadata":{"name":"fast"},"provisioner":"example.com/disk"})");
        object.merge_patch(api::Json::parse(more));
        create("storageclasses.storage.k8s.io", object);
        settle();
    }
    std::string phase(const char* resource, std::string_view name) { return std::string(api::string_at(get(resource, name), {"status", "phase"})); }
    std::string volume_of(const char* claim) { return std::string(api::string_at(get("persistentvolumeclaims", claim), {"spec", "volumeName"})); }
};

}  // namespace

TEST_CASE("a volume that somebody calls free while it is bound is called bound again") {
    Cluster cluster;
    cluster.volume("v", "1Gi");
    cluster.claim("c", "1Gi");
    REQUIRE(cluster.phase("persistentvolumes", "v") == "Bound");
    const auto written = cluster.client().modify(cluster.kind("persistentvolumes"), {}, "v", "status", [](api::Json& object) {
        object["status"]["phase"] = "Available";
        return true;
    });
    REQUIRE(written);
    cluster.settle();
    CHECK(cluster.phase("persistentvolumes", "v") == "Bound");
}

TEST_CASE("a claim takes the smallest volume that is large enough, of its class, mode and labels") {
    Cluster cluster;
    cluster.volume("small", "1Gi");
    cluster.volume("large", "9Gi");
    cluster.volume("middle", "5Gi");
    cluster.volume("other", "3Gi", R"({"spec":{"storageClassName":"else"}})");
    cluster.claim("c", "2Gi");
    CHECK(cluster.volume_of("c") == "middle");
    CHECK(cluster.phase("persistentvolumeclaims", "c") == "Bound");
    CHECK(cluster.phase("persistentvolumes", "middle") == "Bound");
    CHECK(cluster.phase("persistentvolumes", "large") == "Available");
    CHECK(api::string_at(cluster.get("persistentvolumeclaims", "c"), {"status", "capacity", "storage"}) == "5Gi");
    cluster.claim("labelled", "1Gi", "manual", R"({"spec":{"selector":{"matchLabels":{"tier":"a"}}}})");
    CHECK(cluster.phase("persistentvolumeclaims", "labelled") == "Pending");
    cluster.volume("tier-a", "1Gi", R"({"metadata":{"labels":{"tier":"a"}}})");
    CHECK(cluster.volume_of("labelled") == "tier-a");
}

TEST_CASE("a reserved volume waits for its claim") {
    Cluster cluster;
    cluster.volume("mine", "5Gi", R"({"spec":{"claimRef":{"namespace":"default","name":"later"}}})");
    cluster.claim("sooner", "1Gi");
    CHECK(cluster.phase("persistentvolumeclaims", "sooner") == "Pending");
    cluster.claim("later", "1Gi");
    CHECK(cluster.volume_of("later") == "mine");
}

TEST_CASE("what becomes of a volume is its reclaim policy's matter") {
    Cluster cluster;
    cluster.volume("retained", "1Gi", R"({"spec":{"persistentVolumeReclaimPolicy":"Retain"}})");
    cluster.claim("a", "1Gi");
    cluster.remove("persistentvolumeclaims", "a");
    cluster.settle();
    CHECK(cluster.phase("persistentvolumes", "retained") == "Released");
    cluster.claim("b", "1Gi");
    CHECK(cluster.phase("persistentvolumeclaims", "b") == "Pending");
    cluster.volume("recycled", "1Gi", R"({"spec":{"persistentVolumeReclaimPolicy":"Recycle"}})");
    CHECK(cluster.volume_of("b") == "recycled");
    cluster.remove("persistentvolumeclaims", "b");
    cluster.settle();
    CHECK(cluster.phase("persistentvolumes", "recycled") == "Available");
}

TEST_CASE("volumes are made for claims of a class, grow with them and go with them") {
    Cluster cluster;
    cluster.storage_class(R"({"allowVolumeExpansion":true})");
    cluster.claim("c", "1Gi", "fast");
    const std::string volume = cluster.volume_of("c");
    CHECK(volume == "pvc-" + std::string(api::uid_of(cluster.get("persistentvolumeclaims", "c"))));
    CHECK(cluster.phase("persistentvolumeclaims", "c") == "Bound");
    cluster.patch("persistentvolumeclaims", "c", R"({"spec":{"resources":{"requests":{"storage":"3Gi"}}}})");
    cluster.settle();
    CHECK(api::string_at(cluster.get("persistentvolumes", volume), {"spec", "capacity", "storage"}) == "3Gi");
    CHECK(api::string_at(cluster.get("persistentvolumeclaims", "c"), {"status", "capacity", "storage"}) == "3Gi");
    cluster.remove("persistentvolumeclaims", "c");
    cluster.settle();
    CHECK_FALSE(cluster.exists("persistentvolumes", volume));
}

TEST_CASE("WaitForFirstConsumer waits for a pod; a claim in use is not freed; a lost volume is told") {
    Cluster cluster;
    cluster.storage_class(R"({"volumeBindingMode":"WaitForFirstConsumer"})");
    cluster.claim("c", "1Gi", "fast");
    CHECK(cluster.phase("persistentvolumeclaims", "c") == "Pending");
    cluster.create("pods", R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}],
        "volumes":[{"name":"v","persistentVolumeClaim":{"claimName":"c"}}]}})");
    cluster.settle();
    CHECK(cluster.phase("persistentvolumeclaims", "c") == "Pending");  // the scheduler says on which node
    cluster.patch("persistentvolumeclaims", "c", R"({"metadata":{"annotations":{"volume.kubernetes.io/selected-node":"n"}}})");
    cluster.settle();
    CHECK(cluster.phase("persistentvolumeclaims", "c") == "Bound");
    cluster.remove("persistentvolumeclaims", "c");
    cluster.settle();
    CHECK(cluster.exists("persistentvolumeclaims", "c"));
    cluster.remove("pods", "p");
    cluster.settle();
    CHECK_FALSE(cluster.exists("persistentvolumeclaims", "c"));

    cluster.volume("v", "1Gi");
    cluster.claim("loser", "1Gi");
    cluster.patch("persistentvolumes", "v", R"({"metadata":{"finalizers":null}})");
    cluster.remove("persistentvolumes", "v");
    cluster.settle();
    CHECK(cluster.phase("persistentvolumeclaims", "loser") == "Lost");
}

TEST_CASE("a pod's ephemeral volume has a claim of its own") {
    Cluster cluster;
    cluster.add<controllers::EphemeralVolumeController>();
    cluster.storage_class();
    cluster.create("pods", R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}],"volumes":[{"name":"v","ephemeral":
        {"volumeClaimTemplate":{"metadata":{"labels":{"a":"b"}},"spec":{"accessModes":["ReadWriteOnce"],"storageClassName":"fast","resources":{"requests":{"storage":"1Gi"}}}}}}]}})");
    cluster.settle();
    const api::Json claim = cluster.get("persistentvolumeclaims", "p-v");
    CHECK(api::string_at(claim, {"status", "phase"}) == "Bound");
    CHECK(api::string_at(claim, {"metadata", "labels", "a"}) == "b");
    CHECK(api::string_at(claim["metadata"]["ownerReferences"][0], {"uid"}) == api::uid_of(cluster.get("pods", "p")));
}

TEST_CASE("a claim that names a volume is told why it does not get it") {
    Cluster cluster;
    cluster.volume("v", "1Gi");
    const auto told = [&](const char* name, const char* size, const char* class_name, const char* more) {
        cluster.claim(name, size, class_name, more);
        for (const std::string& line : cluster.events())
            if (line.find("/" + std::string(name) + ": ") != std::string::npos) return line;
        return std::string();
    };
    CHECK(told("large", "2Gi", "manual", R"({"spec":{"volumeName":"v"}})") ==
          "Warning VolumeMismatch PersistentVolumeClaim/large: Cannot bind to requested volume \"v\": requested PV is too small");
    CHECK(told("classed", "1Gi", "else", R"({"spec":{"volumeName":"v"}})") ==
          "Warning VolumeMismatch PersistentVolumeClaim/classed: Cannot bind to requested volume \"v\": storageClassName does not match");
    CHECK(told("many", "1Gi", "manual", R"({"spec":{"volumeName":"v","accessModes":["ReadWriteMany"]}})") ==
          "Warning VolumeMismatch PersistentVolumeClaim/many: Cannot bind to requested volume \"v\": incompatible accessMode");
    CHECK(told("block", "1Gi", "manual", R"({"spec":{"volumeName":"v","volumeMode":"Block"}})") ==
          "Warning VolumeMismatch PersistentVolumeClaim/block: Cannot bind to requested volume \"v\": incompatible volumeMode");
    cluster.claim("first", "1Gi", "manual", R"({"spec":{"volumeName":"v"}})");
    CHECK(cluster.volume_of("first") == "v");
    CHECK(told("late", "1Gi", "manual", R"({"spec":{"volumeName":"v"}})") ==
          "Warning FailedBinding PersistentVolumeClaim/late: volume \"v\" already bound to a different claim.");
}
