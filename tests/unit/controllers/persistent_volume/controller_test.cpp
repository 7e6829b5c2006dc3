// Claims and volumes.
#include "controllers/persistent_volume/controller.h"

#include <doctest/doctest.h>

#include <map>
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
}

namespace {

// A volume whose claim is gone, and whose recycler pod has been made.
void let_recycle(Cluster& cluster, const char* more = "{}") {
    api::Json spec = api::Json::parse(more);
    spec["spec"]["persistentVolumeReclaimPolicy"] = "Recycle";
    cluster.volume("r", "4Gi", spec.dump().c_str());
    cluster.claim("c", "1Gi");
    REQUIRE(cluster.volume_of("c") == "r");
    cluster.remove("persistentvolumeclaims", "c");
    cluster.settle();
}

}  // namespace

TEST_CASE("a pod scrubs a volume that is to be recycled") {
    Cluster cluster;
    let_recycle(cluster);
    CHECK(cluster.phase("persistentvolumes", "r") == "Released");
    const api::Json pod = cluster.get("pods", "recycler-for-r");
    CHECK(api::int_at(pod, {"spec", "activeDeadlineSeconds"}) == 120);
    CHECK(api::string_at(pod, {"spec", "restartPolicy"}) == "Never");
    CHECK(pod["spec"]["volumes"][0] == api::Json::parse(R"({"name":"vol","hostPath":{"path":"/x","type":""}})"));
    CHECK(api::string_at(pod["spec"]["containers"][0], {"name"}) == "pv-recycler");
    cluster.create("events", R"({"metadata":{"name":"recycler-for-r.1"},"involvedObject":{"kind":"Pod","name":"recycler-for-r","namespace":"default"},
        "type":"Normal","reason":"Pulled","message":"Container image is there"})");
    cluster.set_pod("recycler-for-r", "Succeeded", false);
    cluster.settle();
    CHECK(cluster.phase("persistentvolumes", "r") == "Available");
    const api::Json volume = cluster.get("persistentvolumes", "r");
    CHECK(api::find(volume, {"spec", "claimRef"}) == nullptr);
    CHECK(api::find(volume, {"metadata", "annotations"}) == nullptr);
    CHECK_FALSE(cluster.exists("pods", "recycler-for-r"));
    const auto all = cluster.events();
    REQUIRE(all.size() == 3);
    CHECK(all[1] == "Normal RecyclerPod PersistentVolume/r: Recycler pod: Container image is there");
    CHECK(all[2] == "Normal VolumeRecycled PersistentVolume/r: Volume recycled");
}

TEST_CASE("a volume that cannot be recycled has failed, and is tried again") {
    Cluster cluster;
    let_recycle(cluster);
    cluster.patch("pods", "recycler-for-r", R"({"status":{"phase":"Failed","message":"Pod was active on the node longer than the specified deadline"}})", "status");
    cluster.settle();
    CHECK(cluster.phase("persistentvolumes", "r") == "Failed");
    CHECK(cluster.events().back() == "Warning VolumeFailedRecycle PersistentVolume/r: Recycle failed: failed to recycle volume: "
                                     "Pod was active on the node longer than the specified deadline");
    cluster.set_pod("recycler-for-r", "Succeeded", false);
    cluster.settle();
    CHECK(cluster.phase("persistentvolumes", "r") == "Available");
}

TEST_CASE("nobody knows how to recycle a volume that is neither hostPath nor NFS") {
    Cluster cluster;
    let_recycle(cluster, R"({"spec":{"hostPath":null,"csi":{"driver":"d","volumeHandle":"h"}}})");
    CHECK(cluster.phase("persistentvolumes", "r") == "Failed");
    CHECK(cluster.events().back() == "Warning VolumeFailedRecycle PersistentVolume/r: No recycler plugin found for the volume!");
    CHECK(api::string_at(cluster.get("persistentvolumes", "r"), {"status", "message"}) == "No recycler plugin found for the volume!");
}

TEST_CASE("the reclaim policy Delete deletes what can be deleted") {
    const auto left = [](const char* more) {
        Cluster cluster;
        api::Json spec = api::Json::parse(more);
        spec["spec"]["persistentVolumeReclaimPolicy"] = "Delete";
        cluster.volume("v", "1Gi", spec.dump().c_str());
        cluster.claim("c", "1Gi");
        cluster.remove("persistentvolumeclaims", "c");
        cluster.settle();
        if (!cluster.exists("persistentvolumes", "v")) return std::string("gone");
        const api::Json status = cluster.get("persistentvolumes", "v")["status"];
        return std::string(api::string_at(status, {"phase"})) + " " + std::string(api::string_at(status, {"message"}));
    };
    CHECK(left(R"({"spec":{"hostPath":{"path":"/tmp/data"}}})") == "gone");
    CHECK(left("{}") == "Failed host_path deleter only supports /tmp/.+ but received provided /x");
    CHECK(left(R"({"spec":{"hostPath":null,"csi":{"driver":"d","volumeHandle":"h"}}})") == "Released ");
    CHECK(left(R"({"metadata":{"annotations":{"pv.kubernetes.io/provisioned-by":"d"}},"spec":{"hostPath":null,"csi":{"driver":"d","volumeHandle":"h"}}})") == "gone");
    CHECK(left(R"({"spec":{"hostPath":null,"nfs":{"server":"s","path":"/"}}})") ==
          "Failed error getting deleter volume plugin for volume \"v\": no deletable volume plugin matched");
}

TEST_CASE("a claim that waits is told why, again every 15 s") {
    Cluster cluster;
    cluster.claim("c", "1Gi", "");
    const auto count = [&] { return api::int_at(cluster.list("events").front(), {"count"}); };
    CHECK(count() == 1);
    cluster.volume("small", "1Mi", R"({"spec":{"storageClassName":""}})");
    CHECK(count() == 1);  // it is no news that a volume does not fit
    cluster.advance(std::chrono::seconds(14));
    CHECK(count() == 1);
    cluster.advance(std::chrono::seconds(1));
    CHECK(count() == 2);
    cluster.volume("v", "1Gi", R"({"spec":{"storageClassName":""}})");
    CHECK(cluster.volume_of("c") == "v");
    cluster.advance(std::chrono::minutes(1));
    CHECK(count() == 2);
}

TEST_CASE("a claim without a class takes the default one once there is one") {
    Cluster cluster;
    cluster.claim("c", "1Gi", "", R"({"spec":{"storageClassName":null}})");
    CHECK(cluster.phase("persistentvolumeclaims", "c") == "Pending");
    cluster.storage_class(R"({"metadata":{"annotations":{"storageclass.kubernetes.io/is-default-class":"true"}}})");
    CHECK(api::string_at(cluster.get("persistentvolumeclaims", "c"), {"spec", "storageClassName"}) == "fast");
    CHECK(cluster.phase("persistentvolumeclaims", "c") == "Bound");
}

TEST_CASE("in-tree provisioners are their CSI drivers, or nobody") {
    const auto told = [](const char* provisioner) {
        Cluster cluster;
        cluster.storage_class((R"({"provisioner":")" + std::string(provisioner) + "\"}").c_str());
        cluster.claim("c", "1Gi", "fast");
        return cluster.phase("persistentvolumeclaims", "c") + " " + cluster.events().front();
    };
    CHECK(told("kubernetes.io/no-provisioner") ==
          "Pending Warning ProvisioningFailed PersistentVolumeClaim/c: no volume plugin matched name: kubernetes.io/no-provisioner");
    CHECK(told("kubernetes.io/gce-pd") ==
          "Bound Normal ExternalProvisioning PersistentVolumeClaim/c: Waiting for a volume to be created either by the external "
          "provisioner 'pd.csi.storage.gke.io' or manually by the system administrator. If volume creation is delayed, please verify "
          "that the provisioner is running and correctly registered.");
}

TEST_CASE("a volume of a claim that has another one is free again") {
    Cluster cluster;
    cluster.volume("v", "1Gi");
    cluster.claim("c", "1Gi");
    const std::string uid(api::uid_of(cluster.get("persistentvolumeclaims", "c")));
    const api::Json reference = {{"spec", {{"claimRef", {{"namespace", "default"}, {"name", "c"}, {"uid", uid}}}}}};
    cluster.volume("reserved", "1Gi", reference.dump().c_str());
    CHECK(cluster.phase("persistentvolumes", "reserved") == "Available");
    CHECK_FALSE(cluster.get("persistentvolumes", "reserved")["spec"]["claimRef"].contains("uid"));
}

TEST_CASE("volumes are made for claims of a class, grow with them and go with them") {
    Cluster cluster;
    cluster.storage_class(R"({"allowVolumeExpansion":true})");
    cluster.claim("c", "1Gi", "fast");
    const std::string volume = cluster.volume_of("c");
    CHECK(volume == "pvc-" + std::string(api::uid_of(cluster.get("persistentvolumeclaims", "c"))));
    CHECK(cluster.phase("persistentvolumeclaims", "c") == "Bound");
    std::map<std::string, std::string> component;  // by reason
    for (const api::Json& event : cluster.list("events"))
        component[std::string(api::string_at(event, {"reason"}))] = api::string_at(event, {"source", "component"});
    CHECK(component["ExternalProvisioning"] == "persistentvolume-controller");
    CHECK(component["Provisioning"].find("example.com/disk_kubemu_") == 0);
    CHECK(component["ProvisioningSucceeded"] == component["Provisioning"]);
    const auto told = cluster.events();
    REQUIRE(told.size() == 3);
    CHECK(told[0].find("ExternalProvisioning") != std::string::npos);
    CHECK(told[1] == "Normal Provisioning PersistentVolumeClaim/c: External provisioner is provisioning volume for claim \"default/c\"");
    CHECK(told[2] == "Normal ProvisioningSucceeded PersistentVolumeClaim/c: Successfully provisioned volume " + volume);
    cluster.patch("persistentvolumeclaims", "c", R"({"spec":{"resources":{"requests":{"storage":"3Gi"}}}})");
    cluster.settle();
    CHECK(api::string_at(cluster.get("persistentvolumes", volume), {"spec", "capacity", "storage"}) == "3Gi");
    CHECK(api::string_at(cluster.get("persistentvolumeclaims", "c"), {"status", "capacity", "storage"}) == "3Gi");
    for (const api::Json& event : cluster.list("events"))
        if (api::string_at(event, {"reason"}) == "ExternalExpanding") CHECK(api::string_at(event, {"source", "component"}) == "volume_expand");
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

TEST_CASE("a claim that is not the pod's is no ephemeral volume of it, which is told at each attempt") {
    Cluster cluster;
    cluster.add<controllers::EphemeralVolumeController>();
    cluster.claim("p-v", "1Gi", "none");
    cluster.create("pods", R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}],"volumes":[{"name":"v","ephemeral":
        {"volumeClaimTemplate":{"spec":{"accessModes":["ReadWriteOnce"],"storageClassName":"fast","resources":{"requests":{"storage":"1Gi"}}}}}}]}})");
    cluster.settle();
    cluster.advance(std::chrono::seconds(1));
    for (const api::Json& event : cluster.list("events")) {
        if (api::string_at(event, {"involvedObject", "kind"}) != "Pod") continue;
        CHECK(api::string_at(event, {"message"}) == "ephemeral volume v: PVC default/p-v was not created for pod default/p (pod is not owner)");
        CHECK(api::int_at(event, {"count"}) > 3);
    }
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
