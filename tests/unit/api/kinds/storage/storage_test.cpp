// The kinds of storage.k8s.io: what they may not say, and what of them does not change.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/harness/attempts.h"
#include "tests/harness/test_cluster.h"
#include "tests/unit/api/kinds/check_rules.h"

using namespace kubemu;
using api::Json;
using tests::create_refused;
using tests::patch_refused;

TEST_CASE("objects of storage.k8s.io that are refused") {
    struct Case {
        const char* resource;
        const char* object;
        const char* message;
    };
    const Case cases[] = {
        {"storageclasses.storage.k8s.io",
         R"({"metadata":{"name":"s"},"reclaimPolicy":"Eat","volumeBindingMode":"Later"})",
         "StorageClass.storage.k8s.io \"s\" is invalid: [provisioner: Required value, reclaimPolicy: Unsupported "
         "value: \"Eat\": "
         "supported values: \"Delete\", \"Retain\", volumeBindingMode: Unsupported value: \"Later\": supported values: "
         "\"Immediate\", "
         "\"WaitForFirstConsumer\"]"},
        {"storageclasses.storage.k8s.io",
         R"({"metadata":{"name":"s"},"provisioner":"p","allowedTopologies":[{"matchLabelExpressions":[{"key":"z","values":["a","a"]}]}]})",
         "StorageClass.storage.k8s.io \"s\" is invalid: allowedTopologies[0].matchLabelExpressions[0].values[1]: "
         "Duplicate value: "
         "\"a\""},
        {"storageclasses.storage.k8s.io", R"({"metadata":{"name":"s"},"provisioner":"p","allowedTopologies":[{}]})",
         "StorageClass.storage.k8s.io \"s\" is invalid: allowedTopologies[0].matchLabelExpressions: Duplicate value: \"\""},
        {"volumeattributesclasses.storage.k8s.io", R"({"metadata":{"name":"s"},"driverName":"d"})",
         "VolumeAttributesClass.storage.k8s.io \"s\" is invalid: parameters: Required value: must contain at least one "
         "key/value pair"},
        {"volumeattachments.storage.k8s.io",
         R"({"metadata":{"name":"s"},"spec":{"attacher":"a","nodeName":"n","source":{}}})",
         "VolumeAttachment.storage.k8s.io \"s\" is invalid: spec.source: Required value: must specify exactly one of "
         "inlineVolumeSpec "
         "and persistentVolumeName"},
        {"volumeattachments.storage.k8s.io",
         R"({"metadata":{"name":"s"},"spec":{"attacher":"a","nodeName":"n","source":{"inlineVolumeSpec":{"accessModes":["ReadWriteOnce"],"nfs":{"server":"a","path":"/b"}}}}})",
         "VolumeAttachment.storage.k8s.io \"s\" is invalid: spec.source.inlineVolumeSpec.csi: Required value: has to "
         "be specified in "
         "the context of inline volumes"},
        {"csidrivers.storage.k8s.io",
         R"({"metadata":{"name":"d"},"spec":{"fsGroupPolicy":"Odd","volumeLifecycleModes":["Odd"]}})",
         "CSIDriver.storage.k8s.io \"d\" is invalid: [spec.fsGroupPolicy: Unsupported value: \"Odd\": supported "
         "values: \"File\", "
         "\"None\", \"ReadWriteOnceWithFSType\", spec.volumeLifecycleModes: Unsupported value: \"Odd\": supported "
         "values: "
         "\"Persistent\", \"Ephemeral\"]"},
        {"csidrivers.storage.k8s.io",
         R"({"metadata":{"name":"d"},"spec":{"tokenRequests":[{"audience":"a"},{"audience":"a"},{"audience":"b","expirationSeconds":1}]}})",
         "CSIDriver.storage.k8s.io \"d\" is invalid: [spec.tokenRequests[1].audience: Duplicate value: \"a\", "
         "spec.tokenRequests[2].expirationSeconds: Invalid value: 1: may not specify a duration less than 10 minutes]"},
        {"csinodes.storage.k8s.io",
         R"({"metadata":{"name":"n"},"spec":{"drivers":[{"name":"d","nodeID":""},{"name":"d","nodeID":"x"},{"nodeID":"y"}]}})",
         "CSINode.storage.k8s.io \"n\" is invalid: [spec.drivers[0].nodeID: Required value, spec.drivers[1].name: "
         "Duplicate value: "
         "\"d\", spec.drivers[2].name: Required value]"},
        {"csistoragecapacities.storage.k8s.io", R"({"metadata":{"name":"c"},"storageClassName":"x","capacity":"-1"})",
         "CSIStorageCapacity.storage.k8s.io \"c\" is invalid: capacity: Invalid value: \"-1\": must be greater than or "
         "equal to 0"},
    };
    tests::TestCluster cluster;
    for (const Case& each : cases) {
        CAPTURE(each.object);
        CHECK(create_refused(cluster, each.resource, each.object) == each.message);
    }
}

TEST_CASE("what stays as it was created") {
    tests::TestCluster cluster;
    cluster.create("storageclasses.storage.k8s.io", R"({"metadata":{"name":"s"},"provisioner":"p"})");
    CHECK(
        patch_refused(
            cluster, "storageclasses.storage.k8s.io", "s",
            R"({"provisioner":"q","parameters":{"a":"b"},"reclaimPolicy":"Retain","volumeBindingMode":"WaitForFirstConsumer"})") ==
        "StorageClass.storage.k8s.io \"s\" is invalid: [parameters: Invalid value: {\"a\":\"b\"}: field is immutable, "
        "provisioner: Invalid value: \"q\": field is immutable, reclaimPolicy: Invalid value: \"Retain\": field is "
        "immutable, volumeBindingMode: Invalid value: \"WaitForFirstConsumer\": field is immutable]");
    cluster.create("csidrivers.storage.k8s.io", R"({"metadata":{"name":"d"},"spec":{}})");
    CHECK(cluster.get("csidrivers.storage.k8s.io", "d", "")["spec"]["seLinuxMount"] == false);
    CHECK(patch_refused(cluster, "csidrivers.storage.k8s.io", "d", R"({"spec":{"attachRequired":false}})") ==
          "CSIDriver.storage.k8s.io \"d\" is invalid: spec.attachedRequired: Invalid value: false: field is immutable");
    CHECK_FALSE(cluster.get("csidrivers.storage.k8s.io", "d", "")["metadata"].contains("generation"));
    CHECK(patch_refused(cluster, "csidrivers.storage.k8s.io", "d", R"({"spec":{"storageCapacity":true}})") == "");
    CHECK(cluster.get("csidrivers.storage.k8s.io", "d", "")["metadata"]["generation"] == 1);
    cluster.create(
        "volumeattachments.storage.k8s.io",
        R"({"metadata":{"name":"a"},"spec":{"attacher":"a","nodeName":"n","source":{"persistentVolumeName":"v"}}})");
    CHECK(patch_refused(cluster, "volumeattachments.storage.k8s.io", "a", R"({"spec":{"nodeName":"m"}})")
              .starts_with("VolumeAttachment.storage.k8s.io \"a\" is invalid: spec: Invalid value: "
                           "storage.VolumeAttachmentSpec{Attacher:\"a\", "
                           "Source:storage.VolumeAttachmentSource{PersistentVolumeName:"
                           "(*string)(0x"));
    cluster.create("csinodes.storage.k8s.io",
                   R"({"metadata":{"name":"n"},"spec":{"drivers":[{"name":"d","nodeID":"x"}]}})");
    CHECK(
        patch_refused(cluster, "csinodes.storage.k8s.io", "n", R"({"spec":{"drivers":[{"name":"d","nodeID":"y"}]}})") ==
        "CSINode.storage.k8s.io \"n\" is invalid: spec.drivers: Invalid value: storage.CSINodeDriver{Name:\"d\", "
        "NodeID:\"y\", "
        "TopologyKeys:[]string(nil), Allocatable:(*storage.VolumeNodeResources)(nil)}: field is immutable");
}

TEST_CASE("the beta versions of storage.k8s.io are checked like the stable ones") {
    struct Case {
        const char *kind, *object, *complaint;
    };
    for (const Case& c : {
             Case{"CSINode", R"({"spec":{"drivers":[{"name":"d","nodeID":""}]}})", "spec.drivers[0].nodeID: Required value"},
             Case{"CSIDriver", R"({"spec":{"volumeLifecycleModes":["Odd"]}})",
                  "spec.volumeLifecycleModes: Unsupported value: \"Odd\": supported values: \"Persistent\", \"Ephemeral\""},
             Case{"CSIStorageCapacity", R"({"storageClassName":"x","capacity":"-1"})",
                  "capacity: Invalid value: \"-1\": must be greater than or equal to 0"},
             Case{"VolumeAttachment", R"({"spec":{"nodeName":"n","source":{"persistentVolumeName":"v"}}})",
                  "spec.attacher: Required value"},
         }) {
        CAPTURE(c.kind);
        CHECK(api::RulesUnderTest("storage.k8s.io", "v1beta1", c.kind).creating(c.object) == c.complaint);
    }
}
