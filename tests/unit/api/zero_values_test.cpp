// A client may leave out what is zero, or say it: neither is a change.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "api/registry.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using api::Json;

namespace {

// Replaces an object; returns the revision that is left.
storage::Revision replace(tests::TestCluster& cluster, const char* resource, const Json& object) {
    const auto written =
        cluster.registry().update(cluster.kind(resource), "default", api::name_of(object), "",
                                  [&](Json& current, bool) -> api::ApiResult<bool> {
                                      current = object;
                                      return true;
                                  },
                                  {});
    REQUIRE_MESSAGE(written, (written ? "" : written.error()->message));
    return written->record->revision;
}

}  // namespace

TEST_CASE("a replacement that says zeros, or leaves them out, changes nothing") {
    tests::TestCluster cluster;
    const char* const pod_spec = R"({"restartPolicy":"Never","containers":[{"name":"c","image":"busybox"}]})";
    const auto object = [&](const char* version, const char* kind) {
        return Json{{"apiVersion", version}, {"kind", kind}, {"metadata", {{"name", "x"}}}};
    };
    Json job = object("batch/v1", "Job"), pod = object("v1", "Pod"),
         deployment = object("apps/v1", "Deployment");
    job["spec"]["template"]["spec"] = Json::parse(pod_spec);
    pod["spec"] = Json::parse(pod_spec);
    deployment["spec"] = {{"selector", {{"matchLabels", {{"app", "x"}}}}},
                          {"template", {{"metadata", {{"labels", {{"app", "x"}}}}}}}};
    deployment["spec"]["template"]["spec"]["containers"] = Json::parse(pod_spec)["containers"];
    struct Case {
        const char* resource;
        Json object;
        Json::json_pointer pod_spec;
    };
    for (const Case& c : {Case{"jobs.batch", job, Json::json_pointer("/spec/template/spec")},
                          Case{"pods", pod, Json::json_pointer("/spec")},
                          Case{"deployments.apps", deployment, Json::json_pointer("/spec/template/spec")}}) {
        CAPTURE(c.resource);
        cluster.create(c.resource, c.object);
        Json stored = cluster.get(c.resource, "x");
        const storage::Revision revision = api::revision_of(stored);
        Json& spec = stored[c.pod_spec];
        spec["hostNetwork"] = false;
        spec["containers"][0].erase("resources");
        CHECK(replace(cluster, c.resource, stored) == revision);
        spec["hostPID"] = nullptr;
        CHECK(replace(cluster, c.resource, stored) == revision);
    }
    CHECK(cluster.get("deployments.apps", "x").at("metadata").at("generation") == 1);
}

TEST_CASE("an empty list that is always written is stored as none") {
    tests::TestCluster cluster;
    cluster.create("roles.rbac.authorization.k8s.io",
                   Json{{"apiVersion", "rbac.authorization.k8s.io/v1"}, {"kind", "Role"}, {"metadata", {{"name", "x"}}}, {"rules", Json::array()}});
    CHECK(cluster.get("roles.rbac.authorization.k8s.io", "x")["rules"].is_null());
}

TEST_CASE("the generation of a policy rises whenever an empty list is posted") {
    tests::TestCluster cluster;
    const char* const policies = "networkpolicies.networking.k8s.io";
    Json policy = {{"metadata", {{"name", "x"}}}, {"spec", {{"podSelector", Json::object()}, {"policyTypes", {"Ingress"}}}}};
    cluster.create(policies, policy);
    replace(cluster, policies, policy);
    CHECK(cluster.get(policies, "x")["metadata"]["generation"] == 1);
    policy["spec"]["ingress"] = Json::array();
    replace(cluster, policies, policy);
    replace(cluster, policies, policy);
    CHECK(cluster.get(policies, "x")["metadata"]["generation"] == 3);
}
