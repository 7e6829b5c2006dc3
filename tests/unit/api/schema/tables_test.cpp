// What the compiled tables promise to everybody who walks them.
#include <algorithm>
#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "api/schema/kind.h"
#include "api/values/object.h"

using namespace kubemu::api;

namespace {

const KindSpec& kind(std::string_view group, std::string_view version, std::string_view name) {
    for (const KindSpec& spec : builtin_kinds()) {
        if (spec.group == group && spec.version == version && spec.kind == name) return spec;
    }
    FAIL("no kind " << name);
    return builtin_kinds()[0];
}

}  // namespace

TEST_CASE("every type can be looked up, and every field of it") {
    CHECK(all_types().size() > 500);
    for (const TypeInfo* type : all_types()) {
        CAPTURE(type->name);
        CHECK(find_type(type->name) == type);
        CHECK(!type->description.empty());
        CHECK(type->fields.size() == type->fields_by_name.size());
        for (const FieldInfo& field : type->fields) {
            CAPTURE(field.name);
            CHECK(type->field(field.name) == &field);
            // A field may leave its description to the type that it holds.
            CHECK((!field.description.empty() || field.kind == ValueKind::object || field.kind == ValueKind::raw));
            CHECK((field.kind == ValueKind::object) == (field.type != nullptr));
            if (!field.default_json.empty()) CHECK(Json::accept(field.default_json));
            if (field.list_type == ListType::map) CHECK(!field.list_map_keys.empty());
            // Lists of objects are not merged by anyone, so that a key of them is a remark (CSIStorageCapacityList).
            if (field.name == "items" && field.type != nullptr && field.type->has_type_meta) continue;
            for (const std::string_view key : field.list_map_keys) CHECK(field.type->field(key) != nullptr);
            if (!field.patch_merge_key.empty() && field.type != nullptr)
                CHECK(field.type->field(field.patch_merge_key) != nullptr);
        }
    }
    CHECK(find_type("core/v1.Nothing") == nullptr);
    CHECK(find_type("core/v1.Pod")->field("Spec") == nullptr);
}

TEST_CASE("embedded structs are inlined, with their place on the Protocol Buffers wire") {
    const TypeInfo& probe = *find_type("core/v1.Probe");
    REQUIRE(probe.wire.size() == 7);
    CHECK(probe.wire[0].number == 1);
    REQUIRE(probe.wire[0].embedded.size() == 4);
    CHECK(probe.fields[probe.wire[0].embedded[1].field].name == "httpGet");
    CHECK(probe.wire[3].number == 4);
    CHECK(probe.wire[3].embedded.empty());
    CHECK(probe.fields[probe.wire[3].field].name == "periodSeconds");
    // A struct in a struct.
    const TypeInfo& rule = *find_type("admissionregistration/v1.NamedRuleWithOperations");
    REQUIRE(rule.wire.size() == 2);
    REQUIRE(rule.wire[1].embedded.size() == 2);
    REQUIRE(rule.wire[1].embedded[1].embedded.size() == 4);
    CHECK(rule.fields[rule.wire[1].embedded[1].embedded[3].field].name == "scope");
}

TEST_CASE("Go's names of types") {
    CHECK(go_type_of(*find_type("core/v1.PodSpec")->field("containers")) == "[]v1.Container");
    CHECK(go_type_of(*find_type("core/v1.ContainerPort")->field("protocol")) == "v1.Protocol");
    CHECK(go_type_of(*find_type("core/v1.ConfigMap")->field("data")) == "map[string]string");
    CHECK(go_type_of(*find_type("core/v1.Capabilities")->field("add")) == "[]v1.Capability");
    CHECK(go_type_of(*find_type("core/v1.HTTPGetAction")->field("port")) == "intstr.IntOrString");
    CHECK(go_name_of(*find_type("core/v1.PodSpec")) == "PodSpec");
}

TEST_CASE("kinds are complete and consistent") {
    std::map<std::string, int> storage_versions;
    std::set<std::string> names;
    for (const KindSpec& spec : builtin_kinds()) {
        CAPTURE(spec.kind);
        CAPTURE(spec.version);
        REQUIRE(spec.type != nullptr);
        CHECK(spec.type->has_type_meta);
        CHECK(names
                  .insert(std::string(spec.group) + "/" + std::string(spec.version) + "/" +
                          std::string(spec.plural))
                  .second);
        storage_versions[std::string(spec.resource)] += spec.storage_version ? 1 : 0;
        if (spec.can(Verb::list)) {
            REQUIRE(!spec.columns.empty());
            for (const ColumnSpec& column : spec.columns) CHECK(!column.cell.empty());
        }
        for (const SubresourceSpec& sub : spec.subresources) {
            CHECK(spec.subresource(sub.name) == &sub);
            CHECK(sub.type != nullptr);
            CHECK(sub.verbs != 0);
        }
    }
    for (const auto& counted : storage_versions) CHECK_MESSAGE(counted.second == 1, counted.first);
}

TEST_CASE("groups come in the order of their priorities") {
    std::vector<std::string> order;
    for (const GroupVersionSpec& version : builtin_group_versions()) {
        order.push_back(std::string(version.group) + "/" + std::string(version.version) +
                        (version.preferred ? "*" : ""));
    }
    const std::vector<std::string> expected = {
        "apiregistration.k8s.io/v1*", "apps/v1*", "events.k8s.io/v1*", "events.k8s.io/v1beta1", "autoscaling/v2*",
        "autoscaling/v1", "autoscaling/v2beta1", "autoscaling/v2beta2", "batch/v1*", "batch/v1beta1",
        "certificates.k8s.io/v1*", "networking.k8s.io/v1*", "networking.k8s.io/v1beta1", "extensions/v1beta1*", "policy/v1*",
        "storage.k8s.io/v1*", "admissionregistration.k8s.io/v1*", "admissionregistration.k8s.io/v1beta1",
        "flowcontrol.apiserver.k8s.io/v1*", "flowcontrol.apiserver.k8s.io/v1beta3", "flowcontrol.apiserver.k8s.io/v1beta2"};
    std::vector<std::string> found;
    for (const std::string& version : order) {
        if (std::find(expected.begin(), expected.end(), version) != expected.end()) found.push_back(version);
    }
    CHECK(found == expected);
    CHECK(std::find(order.begin(), order.end(), "apiextensions.k8s.io/v1*") != order.end());
}

TEST_CASE("two versions share what is stored") {
    CHECK(kind("batch", "v1beta1", "CronJob").resource == "cronjobs.batch");
    CHECK(!kind("batch", "v1beta1", "CronJob").storage_version);
    CHECK(kind("batch", "v1beta1", "CronJob").deprecated);
    CHECK(kind("events.k8s.io", "v1", "Event").resource == "events");
    CHECK(kind("", "v1", "Event").storage_version);
    CHECK(kind("autoscaling", "v2", "HorizontalPodAutoscaler").storage_version);
    CHECK(kind("", "v1", "Pod").subresource("exec")->kind == "PodExecOptions");
    CHECK(kind("", "v1", "ServiceAccount").subresource("token")->type ==
          find_type("authentication/v1.TokenRequest"));
    CHECK(kind("apps", "v1", "Deployment").subresource("scale")->type == find_type("autoscaling/v1.Scale"));
    CHECK(kind("", "v1", "Pod").subresource("nothing") == nullptr);
}

TEST_CASE("an empty selector of a budget is said to mean what it does in its version") {
    const auto said = [](const char* type) { return std::string(find_type(type)->field("selector")->description); };
    CHECK(said("policy/v1.PodDisruptionBudgetSpec").find("empty selector means all") != std::string::npos);
    CHECK(said("policy/v1beta1.PodDisruptionBudgetSpec").find("empty selector means none") != std::string::npos);
}
