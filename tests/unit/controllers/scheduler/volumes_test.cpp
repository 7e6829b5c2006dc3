// Pods whose claims have a place, or are to get one.
#include "controllers/persistent_volume/controller.h"
#include "scheduler_fixture.h"

using namespace kubemu;
using namespace kubemu::controllers;
using namespace std::chrono_literals;
using tests::Scheduling;

namespace {

struct Cluster : Scheduling {
    Cluster() {
        add<PersistentVolumeController>();
        create("storageclasses.storage.k8s.io", R"({"metadata":{"name":"local"},"provisioner":"kubernetes.io/no-provisioner","volumeBindingMode":"WaitForFirstConsumer"})");
        create("storageclasses.storage.k8s.io", R"({"metadata":{"name":"zonal"},"provisioner":"kubemu.io/simulated","volumeBindingMode":"WaitForFirstConsumer",
            "allowedTopologies":[{"matchLabelExpressions":[{"key":"zone","values":["b"]}]}]})");
        create("storageclasses.storage.k8s.io", R"({"metadata":{"name":"immediate"},"provisioner":"kubernetes.io/no-provisioner"})");
        create("storageclasses.storage.k8s.io", R"({"metadata":{"name":"anywhere"},"provisioner":"csi.example.com","volumeBindingMode":"WaitForFirstConsumer"})");
        node("n1", R"({"zone":"a"})");
        node("n2", R"({"zone":"b"})");
    }
    void claim(const std::string& name, const char* storage_class, const char* mode = "ReadWriteOnce") {
        create("persistentvolumeclaims", api::Json{{"metadata", {{"name", name}}},
                                                   {"spec", {{"storageClassName", storage_class}, {"accessModes", {mode}},
                                                             {"resources", {{"requests", {{"storage", "1Gi"}}}}}}}});
        settle();
    }
    void volume(const std::string& name, const std::string& node_name, const char* size = "2Gi") {
        create("persistentvolumes",
               api::Json{{"metadata", {{"name", name}}},
                         {"spec", {{"storageClassName", "local"}, {"accessModes", {"ReadWriteOnce"}}, {"capacity", {{"storage", size}}}, {"local", {{"path", "/x"}}},
                                   {"nodeAffinity", {{"required", {{"nodeSelectorTerms", api::Json::array({{{"matchExpressions",
                                       api::Json::array({{{"key", "kubernetes.io/hostname"}, {"operator", "In"}, {"values", {node_name}}}})}}})}}}}}}}});
        settle();
    }
    void user(const std::string& name, const std::string& claim_name, const std::string& more = "") {
        pod(name, R"({"volumes":[{"name":"v","persistentVolumeClaim":{"claimName":")" + claim_name + "\"}}]" + more + "}");
    }
    std::string bound(const std::string& claim_name) { return std::string(api::string_at(get("persistentvolumeclaims", claim_name), {"spec", "volumeName"})); }
};

}  // namespace

TEST_CASE("claims that are not there, or wait for a volume of their own accord") {
    Cluster cluster;
    cluster.user("p", "nothing");
    CHECK(cluster.why("p") == "0/2 nodes are available: persistentvolumeclaim \"nothing\" not found. not found");
    cluster.claim("unbound", "immediate");
    cluster.user("q", "unbound");
    CHECK(cluster.why("q").find("0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims.") == 0);
}

TEST_CASE("a claim waits for its first consumer and takes a volume where the pod can run") {
    Cluster cluster;
    cluster.volume("small-elsewhere", "n1", "1Gi");
    cluster.volume("fits", "n2");
    cluster.claim("data", "local");
    CHECK(cluster.bound("data").empty());
    cluster.user("p", "data", R"(,"nodeSelector":{"zone":"b"})");
    cluster.advance(12s);
    CHECK(cluster.bound("data") == "fits");
    CHECK(cluster.at("p") == "n2");
    cluster.user("second", "data", R"(,"nodeSelector":{"zone":"a"})");
    CHECK(cluster.why("second") == "0/2 nodes are available: 1 node(s) didn't match PersistentVolume's node affinity, 1 node(s) didn't match Pod's node affinity/selector. "
                                   "no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.");
    cluster.claim("more", "local");
    cluster.user("third", "more", R"(,"nodeSelector":{"zone":"b"})");
    CHECK(cluster.why("third").find("1 node(s) didn't find available persistent volumes to bind") != std::string::npos);
    cluster.volume("late", "n2");
    cluster.advance(12s);
    CHECK(cluster.at("third") == "n2");
}

TEST_CASE("a volume is made on the node's behalf, in the topology of its class") {
    Cluster cluster;
    cluster.claim("data", "zonal");
    cluster.user("p", "data");
    cluster.advance(12s);
    CHECK(cluster.at("p") == "n2");
    CHECK(cluster.get("persistentvolumeclaims", "data")["metadata"]["annotations"]["volume.kubernetes.io/selected-node"] == "n2");
    CHECK(cluster.get("persistentvolumes", cluster.bound("data"), "")["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"] ==
          api::Json::parse(R"([{"matchExpressions":[{"key":"zone","operator":"In","values":["b"]}]}])"));
    cluster.claim("other", "zonal");
    cluster.user("q", "other", R"(,"nodeSelector":{"zone":"a"})");
    CHECK(cluster.why("q").find("1 node(s) didn't find available persistent volumes to bind") != std::string::npos);
}

TEST_CASE("a claim of one pod alone, and volumes of a zone") {
    Cluster cluster;
    cluster.claim("own", "anywhere", "ReadWriteOncePod");
    cluster.user("p", "own", R"(,"nodeSelector":{"zone":"b"})");
    cluster.advance(12s);
    REQUIRE(cluster.at("p") == "n2");
    cluster.user("q", "own");
    CHECK(cluster.why("q").find("2 node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod") != std::string::npos);
    cluster.patch("persistentvolumes", cluster.bound("own"), R"({"metadata":{"labels":{"topology.kubernetes.io/zone":"x__y"}}})", {}, "");
    for (const char* node : {"n1", "n2"}) cluster.patch("nodes", node, R"({"metadata":{"labels":{"topology.kubernetes.io/zone":"z"}}})", {}, "");
    cluster.remove_now("p");
    cluster.advance(12s);
    CHECK(cluster.why("q").find("2 node(s) had no available volume zone") != std::string::npos);
    cluster.patch("nodes", "n1", R"({"metadata":{"labels":{"topology.kubernetes.io/zone":"y"}}})", {}, "");
    cluster.advance(12s);
    CHECK(cluster.at("q") == "n1");
    cluster.remove_now("q");
    // A node that says nothing of where it is may be anywhere; a volume's older label means the same as a node's newer.
    cluster.node("nowhere", R"({"zone":"c"})");
    cluster.user("r", "own", R"(,"nodeSelector":{"zone":"c"})");
    CHECK(cluster.at("r") == "nowhere");
    cluster.remove_now("r");
    cluster.patch("persistentvolumes", cluster.bound("own"), R"({"metadata":{"labels":{"topology.kubernetes.io/zone":null,"failure-domain.beta.kubernetes.io/zone":"z"}}})", {}, "");
    cluster.user("s", "own", R"(,"nodeSelector":{"zone":"b"})");
    CHECK(cluster.at("s") == "n2");
    cluster.remove_now("s");
    cluster.patch("persistentvolumes", cluster.bound("own"), R"({"metadata":{"finalizers":null}})", {}, "");
    cluster.remove("persistentvolumes", cluster.bound("own"), {}, "");
    cluster.settle();
    const std::string gone = cluster.bound("own");
    cluster.patch("persistentvolumeclaims", "own", R"({"status":{"phase":"Bound"}})", "status");
    cluster.user("t", "own");
    CHECK(cluster.why("t").find("0/3 nodes are available: persistentvolume") == 0);
}

TEST_CASE("a node takes as many volumes of a driver as its CSINode says") {
    Cluster cluster;
    for (const char* name : {"n1", "n2"}) {
        cluster.create("csinodes.storage.k8s.io", api::Json{{"metadata", {{"name", name}}},
                       {"spec", {{"drivers", api::Json::array({{{"name", "csi.example.com"}, {"nodeID", name}, {"allocatable", {{"count", 1}}}}})}}}});
        cluster.create("persistentvolumes", api::Json{{"metadata", {{"name", std::string("v-") + name}}},
                       {"spec", {{"storageClassName", "csi"}, {"accessModes", {"ReadWriteMany"}}, {"capacity", {{"storage", "1Gi"}}},
                                 {"csi", {{"driver", "csi.example.com"}, {"volumeHandle", name}}}}}});
    }
    cluster.create("storageclasses.storage.k8s.io", R"({"metadata":{"name":"csi"},"provisioner":"kubernetes.io/no-provisioner"})");
    cluster.claim("one", "csi", "ReadWriteMany");
    cluster.claim("two", "csi", "ReadWriteMany");
    cluster.user("p", "one", R"(,"nodeSelector":{"zone":"a"})");
    REQUIRE(cluster.at("p") == "n1");
    cluster.user("q", "two", R"(,"nodeSelector":{"zone":"a"})");
    CHECK(cluster.why("q") == "0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) exceed max volume count. "
                              "no new claims to deallocate, preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.");
    cluster.user("same", "one", R"(,"nodeSelector":{"zone":"a"})");  // the volume is there already
    CHECK(cluster.at("same") == "n1");
    // What is attached counts whoever uses it.
    cluster.create("volumeattachments.storage.k8s.io", api::Json{{"metadata", {{"name", "a"}}},
                   {"spec", {{"attacher", "csi.example.com"}, {"nodeName", "n2"}, {"source", {{"persistentVolumeName", cluster.bound("one")}}}}}});
    cluster.settle();
    cluster.user("r", "two", R"(,"nodeSelector":{"zone":"b"})");
    CHECK(cluster.why("r").find("1 node(s) exceed max volume count") != std::string::npos);
    cluster.remove("volumeattachments.storage.k8s.io", "a", {}, "");
    cluster.advance(12s);
    CHECK(cluster.at("r") == "n2");
}

TEST_CASE("a driver that publishes its capacity gets claims only where there is enough") {
    Cluster cluster;
    cluster.create("csidrivers.storage.k8s.io", R"({"metadata":{"name":"csi.example.com"},"spec":{"storageCapacity":true}})");
    cluster.claim("data", "anywhere");
    cluster.user("p", "data");
    CHECK(cluster.why("p") == "0/2 nodes are available: 2 node(s) did not have enough free storage. "
                              "no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.");
    cluster.create("csistoragecapacities.storage.k8s.io", R"({"metadata":{"name":"small"},"storageClassName":"anywhere","nodeTopology":{"matchLabels":{"zone":"a"}},"capacity":"500Mi"})");
    cluster.create("csistoragecapacities.storage.k8s.io", R"({"metadata":{"name":"no-large-ones"},"storageClassName":"anywhere","nodeTopology":{"matchLabels":{"zone":"a"}},
        "capacity":"50Gi","maximumVolumeSize":"500Mi"})");
    cluster.advance(12s);
    CHECK(cluster.at("p").empty());
    cluster.create("csistoragecapacities.storage.k8s.io", R"({"metadata":{"name":"enough"},"storageClassName":"anywhere","nodeTopology":{"matchLabels":{"zone":"b"}},"capacity":"50Gi"})");
    cluster.advance(12s);
    CHECK(cluster.at("p") == "n2");
}

TEST_CASE("while the volumes of a pod are made it has its place, and everybody can see where") {
    Scheduling cluster;  // without anybody who makes volumes
    cluster.node("n", "{}", "{}", R"({"pods":"1"})");
    cluster.create("storageclasses.storage.k8s.io", R"({"metadata":{"name":"anywhere"},"provisioner":"csi.example.com","volumeBindingMode":"WaitForFirstConsumer"})");
    const auto claim = [&](const char* name) {
        cluster.create("persistentvolumeclaims", api::Json{{"metadata", {{"name", name}}},
                                                           {"spec", {{"storageClassName", "anywhere"}, {"accessModes", {"ReadWriteOnce"}}, {"resources", {{"requests", {{"storage", "1Gi"}}}}}}}});
    };
    claim("data");
    cluster.pod("p", R"({"volumes":[{"name":"v","persistentVolumeClaim":{"claimName":"data"}}]})");
    CHECK(cluster.at("p").empty());
    CHECK(api::string_at(cluster.get("pods", "p"), {"status", "nominatedNodeName"}) == "n");
    CHECK(cluster.get("persistentvolumeclaims", "data")["metadata"]["annotations"]["volume.kubernetes.io/selected-node"] == "n");
    cluster.pod("other");
    CHECK(cluster.why("other").find("1 Too many pods") != std::string::npos);
    // Who makes it cannot: another node may be better.
    cluster.patch("persistentvolumeclaims", "data", R"({"metadata":{"annotations":{"volume.kubernetes.io/selected-node":null,"a":"b"}}})");
    cluster.settle();
    CHECK(cluster.why("p") == "running PreBind plugin \"VolumeBinding\": binding volumes: provisioning failed for PVC \"data\"");
    CHECK(api::string_at(cluster.get("pods", "p"), {"status", "nominatedNodeName"}).empty());
    CHECK(cluster.at("other") == "n");  // it has heard
    cluster.remove_now("other");
    cluster.advance(2s);
    CHECK(api::string_at(cluster.get("pods", "p"), {"status", "nominatedNodeName"}) == "n");
    cluster.create("persistentvolumes", R"({"metadata":{"name":"made"},"spec":{"storageClassName":"anywhere","accessModes":["ReadWriteOnce"],"capacity":{"storage":"1Gi"},"hostPath":{"path":"/x"}}})");
    cluster.patch("persistentvolumeclaims", "data", R"({"metadata":{"annotations":{"pv.kubernetes.io/bind-completed":"yes"}},"spec":{"volumeName":"made"}})");
    cluster.settle();
    CHECK(cluster.at("p") == "n");
    CHECK(api::string_at(cluster.get("pods", "p"), {"status", "nominatedNodeName"}).empty());
}

TEST_CASE("nobody makes the volume: the place is given up after ten minutes") {
    Scheduling cluster;
    cluster.node("n");
    cluster.create("storageclasses.storage.k8s.io", R"({"metadata":{"name":"anywhere"},"provisioner":"csi.example.com","volumeBindingMode":"WaitForFirstConsumer"})");
    cluster.create("persistentvolumeclaims", R"({"metadata":{"name":"data"},"spec":{"storageClassName":"anywhere","accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}})");
    cluster.pod("p", R"({"volumes":[{"name":"v","persistentVolumeClaim":{"claimName":"data"}}]})");
    cluster.advance(9min);
    CHECK(cluster.why("p").empty());
    cluster.advance(1min);
    CHECK(cluster.why("p") == "running PreBind plugin \"VolumeBinding\": binding volumes: context deadline exceeded");
}

TEST_CASE("two claims do not get the same volume, of one pod or of two that come together") {
    Cluster cluster;
    cluster.volume("one", "n1");
    for (const char* name : {"a", "b", "c"}) cluster.claim(name, "local");
    cluster.pod("both", R"({"volumes":[{"name":"v","persistentVolumeClaim":{"claimName":"a"}},{"name":"w","persistentVolumeClaim":{"claimName":"b"}}]})");
    CHECK(cluster.why("both").find("2 node(s) didn't find available persistent volumes to bind") != std::string::npos);
    for (const char* name : {"a", "b"})
        cluster.create("pods", api::Json::parse(R"({"metadata":{"name":"of-)" + std::string(name) + R"("},"spec":{"containers":[{"name":"c","image":"i"}],
            "volumes":[{"name":"v","persistentVolumeClaim":{"claimName":")" + name + "\"}}]}}"));
    cluster.settle();
    CHECK((cluster.at("of-a").empty() ? 0 : 1) + (cluster.at("of-b").empty() ? 0 : 1) == 1);
}

TEST_CASE("a pod is tried again for its own claims and for volumes, not for the claims of others") {
    Cluster cluster;
    cluster.user("p", "mine");
    CHECK(!cluster.tries("p", [&] { cluster.claim("other", "immediate"); }));
    CHECK(cluster.tries("p", [&] { cluster.claim("mine", "immediate"); }));
    CHECK(cluster.why("p").find("unbound immediate") != std::string::npos);
    CHECK(!cluster.tries("p", [&] { cluster.patch("persistentvolumeclaims", "other", R"({"metadata":{"labels":{"a":"b"}}})"); }));
    CHECK(cluster.tries("p", [&] { cluster.patch("persistentvolumeclaims", "mine", R"({"metadata":{"labels":{"a":"b"}}})"); }));
    CHECK(cluster.tries("p", [&] { cluster.volume("v", "n1"); }));
    CHECK(cluster.tries("p", [&] { cluster.create("storageclasses.storage.k8s.io", R"({"metadata":{"name":"new"},"provisioner":"x.example.com"})"); }));
    CHECK(!cluster.tries("p", [&] { cluster.patch("storageclasses.storage.k8s.io", "new", R"({"metadata":{"labels":{"a":"b"}}})", {}, ""); }));
    CHECK(cluster.tries("p", [&] { cluster.node("n3"); }));
}
