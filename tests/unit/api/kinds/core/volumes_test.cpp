// PersistentVolumes and their claims.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/harness/attempts.h"
#include "tests/harness/test_cluster.h"
#include "tests/unit/api/kinds/check_rules.h"

using namespace kubemu;
using api::Json;
using tests::create_refused;
using tests::patch_refused;

namespace {

std::string volume(const std::string& rest) {
    return R"({"metadata":{"name":"v"},"spec":{"accessModes":["ReadWriteOnce"],"capacity":{"storage":"1Gi"},)" + rest +
           "}}";
}

std::string claim(const std::string& rest) {
    return R"({"metadata":{"name":"c"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"2Gi"}})" +
           rest + "}}";
}

}  // namespace

TEST_CASE("what a volume may not say") {
    struct Case {
        std::string object;
        const char* message;
    };
    const Case cases[] = {
        {R"({"metadata":{"name":"v"},"spec":{}})",
         "[spec.accessModes: Required value, spec.capacity: Required value, spec.capacity: Unsupported value: "
         "core.ResourceList(nil): supported values: \"storage\", spec: Required value: must specify a volume type]"},
        {volume(
             R"("hostPath":{"path":"/../x"},"nfs":{"path":"/b","server":"a"},"persistentVolumeReclaimPolicy":"Burn")"),
         "[spec.persistentVolumeReclaimPolicy: Unsupported value: \"Burn\": supported values: \"Delete\", \"Recycle\", "
         "\"Retain\", "
         "spec.hostPath.path: Invalid value: \"/../x\": must not contain '..', spec.nfs: Forbidden: may not specify "
         "more than 1 volume "
         "type]"},
        {volume(R"("nfs":{"server":"a","path":"b"})"), "spec.nfs.path: Invalid value: \"b\": must be an absolute path"},
        {volume(R"("local":{"path":"/d"})"), "spec.nodeAffinity: Required value: Local volume requires node affinity"},
        {volume(R"("local":{"path":"/d"},"nodeAffinity":{"required":{"nodeSelectorTerms":[]}})"),
         "spec.nodeAffinity.required.nodeSelectorTerms: Required value: must have at least one node selector term"},
        {volume(R"("csi":{"driver":"d.example"})"), "spec.csi.volumeHandle: Required value"},
        {volume(R"("csi":{"driver":"d.example","volumeHandle":"h","nodePublishSecretRef":{"name":"a"}})"),
         "spec.csi.nodePublishSecretRef.namespace: Required value"},
        {volume(R"("iscsi":{"targetPortal":"p","iqn":"iqn.bad","lun":256})"),
         "[spec.iscsi.iqn: Invalid value: \"iqn.bad\": must be valid format, spec.iscsi.lun: Invalid value: 256: must "
         "be between 0 and "
         "255, inclusive]"},
        {volume(R"("fc":{"targetWWNs":["a"]})"),
         "spec.fc.lun: Required value: lun is required if targetWWNs is specified"},
        {volume(R"("hostPath":{"path":"/"},"persistentVolumeReclaimPolicy":"Recycle")"),
         "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'"},
        {volume(R"("hostPath":{"path":"/a"},"volumeMode":"Odd")"),
         "spec.volumeMode: Unsupported value: \"Odd\": supported values: \"Block\", \"Filesystem\""},
        {volume(R"("hostPath":{"path":"/a"},"volumeAttributesClassName":"x")"),
         "spec.csi: Required value: has to be specified when using volumeAttributesClassName"},
        {R"({"metadata":{"name":"v"},"spec":{"accessModes":["ReadWriteOncePod","ReadOnlyMany"],"capacity":{"storage":"0"},"hostPath":{"path":"/a"}}})",
         "[spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes, spec.capacity[storage]: "
         "Invalid value: "
         "\"0\": must be greater than zero]"},
    };
    tests::TestCluster cluster;
    for (const Case& each : cases) {
        CAPTURE(each.object);
        CHECK(create_refused(cluster, "persistentvolumes", each.object) ==
              "PersistentVolume \"v\" is invalid: " + std::string(each.message));
    }
}

TEST_CASE("a volume's source and mode stay, its claim and policy may change") {
    tests::TestCluster cluster;
    created(cluster, "persistentvolumes", volume(R"("hostPath":{"path":"/a"})"));
    CHECK(cluster.get("persistentvolumes", "v", "")["metadata"]["finalizers"] ==
          Json::array({"kubernetes.io/pv-protection"}));
    const std::string moved =
        patch_refused(cluster, "persistentvolumes", "v", R"({"spec":{"hostPath":{"path":"/b"}}})");
    CHECK(moved.starts_with(
        "PersistentVolume \"v\" is invalid: spec.persistentvolumesource: Forbidden: spec.persistentvolumesource "
        "is immutable after creation\n  core.PersistentVolumeSource{\n"));
    CHECK(patch_refused(cluster, "persistentvolumes", "v", R"({"spec":{"volumeMode":"Block"}})") ==
          "PersistentVolume \"v\" is invalid: volumeMode: Invalid value: \"Block\": field is immutable");
    CHECK(patch_refused(
              cluster, "persistentvolumes", "v",
              R"({"spec":{"persistentVolumeReclaimPolicy":"Delete","claimRef":{"name":"c","namespace":"default"}}})") ==
          "");
    // The time of the last change of phase is the server's business, unless the client knows better.
    const auto since = [&cluster] { return cluster.get("persistentvolumes", "v", "")["status"]["lastPhaseTransitionTime"]; };
    CHECK(since().is_null());
    CHECK(patch_refused(cluster, "persistentvolumes", "v", R"({"status":{"phase":"Bound"}})", "status") == "");
    const Json bound = since();
    CHECK(bound.is_string());
    CHECK(patch_refused(cluster, "persistentvolumes", "v", R"({"status":{"message":"m"}})", "status") == "");
    CHECK(since() == bound);
    CHECK(patch_refused(cluster, "persistentvolumes", "v",
                        R"({"status":{"phase":"Failed","lastPhaseTransitionTime":"2020-01-01T00:00:00Z"}})", "status") == "");
    CHECK(since() == "2020-01-01T00:00:00Z");
}

TEST_CASE("what a claim may not say") {
    struct Case {
        std::string object;
        const char* message;
    };
    const Case cases[] = {
        {R"({"metadata":{"name":"c"},"spec":{}})",
         "[spec.accessModes: Required value: at least 1 access mode is required, spec.resources[storage]: Required "
         "value]"},
        {R"({"metadata":{"name":"c"},"spec":{"accessModes":["Any"],"resources":{"requests":{"storage":"0"}}}})",
         "[spec.accessModes: Unsupported value: \"Any\": supported values: \"ReadOnlyMany\", \"ReadWriteMany\", "
         "\"ReadWriteOnce\", "
         "\"ReadWriteOncePod\", spec.resources[storage]: Invalid value: \"0\": must be greater than zero]"},
        {claim(R"(,"dataSourceRef":{"kind":"Other","name":"x"})"),
         "[spec.dataSource: Invalid value: \"Other\": must be 'PersistentVolumeClaim' when referencing the default "
         "apiGroup, "
         "spec.dataSourceRef: Invalid value: \"Other\": must be 'PersistentVolumeClaim' when referencing the default "
         "apiGroup]"},
        {claim(R"(,"volumeMode":"Odd")"),
         "spec.volumeMode: Unsupported value: \"Odd\": supported values: \"Block\", \"Filesystem\""},
    };
    tests::TestCluster cluster;
    for (const Case& each : cases) {
        CAPTURE(each.object);
        CHECK(create_refused(cluster, "persistentvolumeclaims", each.object) ==
              "PersistentVolumeClaim \"c\" is invalid: " + std::string(each.message));
    }
}

TEST_CASE("both data sources say the same, and unknown ones are dropped") {
    tests::TestCluster cluster;
    const Json made = created(cluster, "persistentvolumeclaims",
                              claim(R"(,"dataSource":{"kind":"PersistentVolumeClaim","name":"x"})"));
    CHECK(made["spec"]["dataSourceRef"]["name"] == "x");
    created(cluster, "namespaces", R"({"metadata":{"name":"other"}})");
    std::string dropped = claim(R"(,"dataSource":{"apiGroup":"a.example","kind":"Odd","name":"x"})");
    dropped.replace(dropped.find("\"c\""), 3, "\"d\"");
    CHECK_FALSE(created(cluster, "persistentvolumeclaims", dropped)["spec"].contains("dataSource"));
}

TEST_CASE("a claim stays as it is, until it is bound and grows") {
    tests::TestCluster cluster;
    created(cluster, "storageclasses.storage.k8s.io",
            R"({"metadata":{"name":"fast"},"provisioner":"p","allowVolumeExpansion":true})");
    created(cluster, "persistentvolumeclaims", claim(R"(,"storageClassName":"fast")"));
    const std::string shrunk = patch_refused(cluster, "persistentvolumeclaims", "c",
                                             R"({"spec":{"resources":{"requests":{"storage":"1Gi"}}}})");
    CHECK(shrunk.find("spec is immutable after creation except resources.requests for bound claims\n  "
                      "core.PersistentVolumeClaimSpec{") != std::string::npos);
    CHECK(shrunk.find("spec.resources.requests.storage: Forbidden: field can not be less than previous value") !=
          std::string::npos);
    CHECK(patch_refused(cluster, "persistentvolumeclaims", "c", R"({"spec":{"volumeName":"v"}})") == "");
    cluster.patch("persistentvolumeclaims", "c", R"({"status":{"phase":"Bound","capacity":{"storage":"2Gi"}}})",
                  "status");
    CHECK(patch_refused(cluster, "persistentvolumeclaims", "c",
                        R"({"spec":{"resources":{"requests":{"storage":"3Gi"}}}})") == "");
    cluster.patch("storageclasses.storage.k8s.io", "fast", R"({"allowVolumeExpansion":false})");
    CHECK(patch_refused(cluster, "persistentvolumeclaims", "c",
                        R"({"spec":{"resources":{"requests":{"storage":"4Gi"}}}})") ==
          "persistentvolumeclaims \"c\" is forbidden: only dynamically provisioned pvc can be resized and the "
          "storageclass that "
          "provisions the pvc must support resize");
}

TEST_CASE("volumes: mount options need something to mount, and labels of nodes grow old") {
    api::RulesUnderTest volumes("", "v1", "PersistentVolume");
    const std::string start = R"({"metadata":{"name":"v","annotations":{"volume.beta.kubernetes.io/mount-options":"ro"}},"spec":{
        "accessModes":["ReadWriteOnce"],"capacity":{"storage":"1Gi"},)";
    const std::string refused = "metadata.annotations.volume.beta.kubernetes.io/mount-options: Forbidden: may not specify "
                                "mount options for this volume type";
    const std::string path = start + R"("hostPath":{"path":"/x"}}})";
    CHECK(volumes.creating(path) == refused);
    CHECK(volumes.updating(path, path) == refused);
    CHECK(volumes.creating(start + R"("nfs":{"path":"/x","server":"s"}}})") == "");
    std::vector<std::string> warnings;
    volumes.rules.warnings(Json::parse(R"({"spec":{"storageos":{"volumeName":"x"},"capacity":{"storage":"1500m"},"nodeAffinity":{"required":
        {"nodeSelectorTerms":[{"matchExpressions":[{"key":"a","operator":"Exists"},
                                                   {"key":"failure-domain.beta.kubernetes.io/zone","operator":"Exists"}]}]}}}})"),
                           nullptr, volumes.context(), warnings);
    CHECK(warnings == std::vector<std::string>{
                          "spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[1].key: "
                          "failure-domain.beta.kubernetes.io/zone is deprecated since v1.17; use "
                          "\"topology.kubernetes.io/zone\" instead",
                          "spec.storageOS: deprecated in v1.22, non-functional in v1.25+"});
}
