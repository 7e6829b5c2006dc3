// Ownership of fields as the registry keeps it: parts of objects, their Scale, their versions, and what costs
// no revision.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/registry.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using api::Json;

namespace {

using namespace std::chrono_literals;

api::WriteContext as(const std::string& manager) {
    api::WriteContext context;
    context.field_manager = manager;
    return context;
}

const char* const deployment = R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},
    "spec":{"replicas":2,"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},
    "spec":{"containers":[{"name":"web","image":"nginx:1"}]}}}})";

struct Cluster : tests::TestCluster {
    // The update that `change` makes, and the revision it left.
    storage::Revision write(const char* resource, const char* part, const char* manager,
                            const std::function<void(Json&)>& change) {
        const auto written = registry().update(
            kind(resource), "default", "web", part,
            [&](Json& object, bool) -> api::ApiResult<bool> {
                change(object);
                return true;
            },
            as(manager));
        REQUIRE(written);
        return written->record->revision;
    }
    Json entry(const char* resource, const std::string& manager) {
        const Json object = get(resource, "web");
        for (const Json& owner : api::array_at(object, {"metadata", "managedFields"})) {
            if (owner.at("manager") == manager) return owner;
        }
        return {};
    }
};

}  // namespace

TEST_CASE("who writes the status owns status and nothing else") {
    Cluster cluster;
    cluster.create("deployments.apps", deployment);
    cluster.write("deployments.apps", "status", "controller", [](Json& object) {
        object["status"]["replicas"] = 2;
        object["spec"]["replicas"] = 7;
    });
    const Json owner = cluster.entry("deployments.apps", "controller");
    CHECK(owner.at("subresource") == "status");
    CHECK(owner.at("operation") == "Update");
    CHECK(owner.at("fieldsV1") == Json::parse(R"({"f:status":{"f:replicas":{}}})"));
    CHECK(cluster.get("deployments.apps", "web").at("spec").at("replicas") == 2);
}

TEST_CASE("an object with an item that lacks its key has no owners") {
    Cluster cluster;
    cluster.create("serviceaccounts", R"({"metadata":{"name":"web"},"secrets":[{"namespace":"x"}]})");
    CHECK(api::array_at(cluster.get("serviceaccounts", "web"), {"metadata", "managedFields"}).empty());
    cluster.create("serviceaccounts", R"({"metadata":{"name":"keyed"},"secrets":[{"name":"x"}]})");
    CHECK_FALSE(api::array_at(cluster.get("serviceaccounts", "keyed"), {"metadata", "managedFields"}).empty());
}

TEST_CASE("the status of a definition comes with the labels that its writer applies") {
    Cluster cluster;
    cluster.create("customresourcedefinitions.apiextensions.k8s.io",
                   R"({"metadata":{"name":"foos.example.com"},"spec":{"group":"example.com","names":{"plural":"foos","kind":"Foo"},
        "scope":"Namespaced","versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}}]}})");
    const api::KindSpec& kind = cluster.kind("customresourcedefinitions.apiextensions.k8s.io");
    const Json status = Json::parse(R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
        "metadata":{"name":"foos.example.com","labels":{"l":"1"}},"status":{"storedVersions":["v1"]}})");
    const auto written = cluster.registry().update(
        kind, "", "foos.example.com", "status",
        [&](Json& object, bool) -> api::ApiResult<bool> {
            auto applied = cluster.registry().apply_configuration(kind, "status", object, status, true, as("s"));
            REQUIRE(applied.has_value());
            object = std::move(*applied);
            return true;
        },
        [] {
            auto context = as("s");
            context.owners_settled = true;
            return context;
        }());
    REQUIRE(written);
    const Json object = cluster.registry().document(*written->record);
    const Json& owners = api::array_at(object, {"metadata", "managedFields"});
    const auto own = std::find_if(owners.begin(), owners.end(), [](const Json& owner) { return owner["manager"] == "s"; });
    REQUIRE(own != owners.end());
    CHECK((*own)["fieldsV1"]["f:metadata"]["f:labels"].contains("f:l"));
}

TEST_CASE("the same write again takes no revision, however much later") {
    Cluster cluster;
    cluster.create("deployments.apps", deployment);
    const auto pause = [](Json& object) { object["spec"]["paused"] = true; };
    const storage::Revision first = cluster.write("deployments.apps", "", "m", pause);
    cluster.advance(60s);
    CHECK(cluster.write("deployments.apps", "", "m", pause) == first);
    CHECK(cluster.write("deployments.apps", "", "other", pause) == first);
}

TEST_CASE("applying the same configuration again takes no revision; a dry run takes none") {
    Cluster cluster;
    Json patch = Json::parse(deployment);
    patch["spec"]["paused"] = false;  // which is not stored: to the server it is as good as nothing
    const auto apply = [&](Json configuration, bool dry_run) {
        api::WriteContext context = as("a");
        context.owners_settled = context.creates = true;
        context.dry_run = dry_run;
        const auto written = cluster.registry().update(
            cluster.kind("deployments.apps"), "default", "web", "",
            [&](Json& object, bool exists) -> api::ApiResult<bool> {
                const Json live = exists ? object : Json{{"kind", "Deployment"}, {"apiVersion", "apps/v1"}};
                auto made = cluster.registry().apply_configuration(cluster.kind("deployments.apps"), "", live,
                                                                   configuration, false, context);
                if (!made) return made.error();
                object = std::move(*made);
                return true;
            },
            context);
        REQUIRE(written);
        return written->pending;  // it took a revision
    };
    CHECK_FALSE(apply(patch, true));
    CHECK_FALSE(cluster.exists("deployments.apps", "web"));
    CHECK(apply(patch, false));
    cluster.advance(60s);
    CHECK_FALSE(apply(patch, false));
    Json other = patch;
    other["spec"]["replicas"] = 5;
    CHECK_FALSE(apply(other, true));
    CHECK(cluster.get("deployments.apps", "web").at("spec").at("replicas") == 2);
    CHECK(apply(other, false));
    CHECK(cluster.get("deployments.apps", "web").at("spec").at("replicas") == 5);
}

TEST_CASE("what does not exist is created by those who may, and by nobody else") {
    Cluster cluster;
    const auto refused = cluster.registry().update(
        cluster.kind("deployments.apps"), "default", "web", "",
        [&](Json& object, bool) -> api::ApiResult<bool> {
            object = Json::parse(deployment);
            return true;
        },
        as("m"));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == 404);
}

TEST_CASE("replicas belong to the one who scaled last") {
    Cluster cluster;
    cluster.create("deployments.apps", deployment);
    const api::KindSpec& kind = cluster.kind("deployments.apps");
    api::WriteContext context = as("scaler");
    context.owners_settled = true;
    const auto scaled = cluster.registry().update(
        kind, "default", "web", "",
        [&](Json& object, bool) -> api::ApiResult<bool> {
            const Json scale = {{"kind", "Scale"},
                                {"apiVersion", "autoscaling/v1"},
                                {"metadata", {{"name", "web"}}},
                                {"spec", {{"replicas", 5}}}};
            return cluster.registry().write_scale(kind, object, scale, context);
        },
        context);
    REQUIRE(scaled);
    const Json owner = cluster.entry("deployments.apps", "scaler");
    CHECK(owner.at("subresource") == "scale");
    CHECK(owner.at("apiVersion") == "apps/v1");
    CHECK(owner.at("fieldsV1") == Json::parse(R"({"f:spec":{"f:replicas":{}}})"));
    const Json object = cluster.get("deployments.apps", "web");
    CHECK(object.at("spec").at("replicas") == 5);
    int owners = 0;
    for (const Json& entry : object.at("metadata").at("managedFields")) {
        owners += entry.at("fieldsV1").at("f:spec").contains("f:replicas") ? 1 : 0;
    }
    CHECK(owners == 1);
}

TEST_CASE("a change in one version takes a field from its owner in another") {
    Cluster cluster;
    cluster.create("cronjobs.batch", R"({"apiVersion":"batch/v1","kind":"CronJob","metadata":{"name":"web"},
        "spec":{"schedule":"0 0 * * *","jobTemplate":{"spec":{"template":{"spec":{"restartPolicy":"Never",
        "containers":[{"name":"c","image":"busybox"}]}}}}}})");
    const api::KindSpec* older = cluster.registry().kinds().by_plural("batch", "v1beta1", "cronjobs");
    REQUIRE(older != nullptr);
    const auto written = cluster.registry().update(
        *older, "default", "web", "",
        [](Json& object, bool) -> api::ApiResult<bool> {
            object["spec"]["schedule"] = "1 1 * * *";
            return true;
        },
        as("old-client"));
    REQUIRE(written);
    const Json object = cluster.get("cronjobs.batch", "web");
    REQUIRE(object.at("metadata").at("managedFields").size() == 2);
    for (const Json& entry : object.at("metadata").at("managedFields")) {
        const bool old_client = entry.at("manager") == "old-client";
        CHECK(entry.at("fieldsV1").at("f:spec").contains("f:schedule") == old_client);
        CHECK(entry.at("apiVersion") == (old_client ? "batch/v1beta1" : "batch/v1"));
    }
}

TEST_CASE("pods enable service links by default, templates do not say") {
    Cluster cluster;
    const Json pod = cluster.create("pods", R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"},
        "spec":{"containers":[{"name":"c","image":"nginx"}]}})");
    CHECK(pod.at("spec").at("enableServiceLinks") == true);
    const Json off = cluster.create("pods", R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"off"},
        "spec":{"enableServiceLinks":false,"containers":[{"name":"c","image":"nginx"}]}})");
    CHECK(off.at("spec").at("enableServiceLinks") == false);
    const Json made = cluster.create("deployments.apps", deployment);
    CHECK_FALSE(made.at("spec").at("template").at("spec").contains("enableServiceLinks"));
}

TEST_CASE("a status that leaves the metadata alone owns nothing of it") {
    Cluster cluster;
    cluster.create("servicecidrs.networking.k8s.io", R"({"metadata":{"name":"web"},"spec":{"cidrs":["10.5.0.0/24"]}})");
    const Json condition = {{"type", "T"}, {"status", "True"}, {"reason", "R"}, {"message", "m"}, {"lastTransitionTime", "2026-01-01T00:00:00Z"}};
    const auto change = [&](Json& object) {
        object["metadata"]["labels"] = {{"a", "b"}};
        object["status"]["conditions"] = {condition};
    };
    cluster.write("servicecidrs.networking.k8s.io", "status", "m", change);
    const Json owned = cluster.entry("servicecidrs.networking.k8s.io", "m")["fieldsV1"];
    CHECK(owned.contains("f:status"));
    CHECK_FALSE(owned.contains("f:metadata"));
    CHECK_FALSE(cluster.get("servicecidrs.networking.k8s.io", "web")["metadata"].contains("labels"));
}

TEST_CASE("the data of a ControllerRevision is owned as a whole") {
    Cluster cluster;
    cluster.create("controllerrevisions.apps", R"({"metadata":{"name":"web"},"revision":1,"data":{"a":{"b":1}}})");
    cluster.write("controllerrevisions.apps", "", "m", [](Json& object) { object["revision"] = 2; });
    const Json owners = cluster.get("controllerrevisions.apps", "web")["metadata"]["managedFields"];
    CHECK(owners.dump().find(R"("f:data":{}})") != std::string::npos);
}
