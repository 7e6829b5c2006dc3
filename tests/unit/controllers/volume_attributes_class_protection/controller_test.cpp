// Classes of volume attributes are kept while something names them.
#include "controllers/volume_attributes_class_protection/controller.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "controllers/persistent_volume/controller.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;

TEST_CASE("a class goes when the last claim and the last volume have let it go") {
    tests::TestCluster cluster;
    cluster.add<controllers::PersistentVolumeController>();
    cluster.add<controllers::VolumeAttributesClassProtectionController>();
    const char* const classes = "volumeattributesclasses.storage.k8s.io";
    cluster.create(classes, R"({"metadata":{"name":"gold"},"driverName":"d","parameters":{"a":"b"}})");
    cluster.create("persistentvolumeclaims", R"({"metadata":{"name":"c"},"spec":{"accessModes":["ReadWriteOnce"],
        "volumeAttributesClassName":"gold","resources":{"requests":{"storage":"1Gi"}}}})");
    cluster.create("persistentvolumes", R"({"metadata":{"name":"v"},"spec":{"accessModes":["ReadWriteOnce"],
        "volumeAttributesClassName":"gold","capacity":{"storage":"1Gi"},"csi":{"driver":"d","volumeHandle":"h"}}})");
    cluster.settle();
    CHECK(cluster.get(classes, "gold", "")["metadata"]["finalizers"] == api::Json::array({"kubernetes.io/vac-protection"}));

    const auto remove = [&](const char* resource, const char* name, const char* space) {
        cluster.remove(resource, name, {}, space);
        cluster.settle();
    };
    remove(classes, "gold", "");
    remove("persistentvolumeclaims", "c", "default");
    CHECK(cluster.get(classes, "gold", "")["metadata"].contains("deletionTimestamp"));
    remove("persistentvolumes", "v", "");
    CHECK_FALSE(cluster.exists(classes, "gold", ""));
}
