// Binding, eviction and scale.
#include "api/subresources/subresources.h"

#include <nlohmann/json.hpp>

#include "api/apply/field_manager.h"
#include "api/crd/custom_resource.h"
#include "api/selector/label.h"
#include "api/request_scope.h"
#include "api/storage_status.h"
#include "api/subresources/eviction.h"
#include "api/values/text.h"
#include "api/values/time.h"

namespace kubemu::api {
namespace {

// The body may leave its namespace to the path.
ApiResult<bool> check_namespace(const Json& body, std::string_view namespace_name) {
    const std::string_view given = namespace_of(body);
    if (given.empty() || given == namespace_name) return true;
    return Status::bad_request("the namespace of the provided object does not match the namespace sent on the request");
}

// What a Binding brings along for the pod, and what ends with it. Labels are taken, and the nomination goes, from 1.35 on.
void take_from_binding(Json& pod, const Json& binding, int minor) {
    constexpr int takes_labels = 35;
    const auto copy = [&](const char* member) {
        const Json& from = object_at(binding, {"metadata", member});
        for (const auto& [key, value] : from.items()) ensure(pod, {"metadata", member})[key] = value;
    };
    copy("annotations");
    if (minor < takes_labels) return;
    copy("labels");
    if (Json* status = find(pod, {"status"})) erase(*status, "nominatedNodeName");
}

ApiResult<Written> bind(Registry& registry, const KindSpec& kind, std::string_view namespace_name, std::string_view name,
                        const Json& body, const WriteContext& context, storage::Completion done) {
    if (name_of(body) != name) return Status::bad_request("name in URL does not match name in Binding object");
    const std::string node(string_at(body, {"target", "name"}));
    const std::string target(string_at(body, {"target", "kind"}));
    std::vector<std::string> wrong;
    if (!target.empty() && target != "Node") {
        wrong.push_back("target.kind: Unsupported value: \"" + target + "\": supported values: \"Node\", \"<empty>\"");
    }
    if (node.empty()) wrong.emplace_back("target.name: Required value");
    if (!wrong.empty()) return Status::plain_500(wrong.size() == 1 ? wrong[0] : "[" + join(wrong, ", ") + "]");
    if (name.empty()) return Status::bad_request("Name parameter required.");
    const std::string now = format_time(registry.clock().now());
    const auto change = [&](Json& pod, bool exists) -> ApiResult<bool> {
        if (!exists) return false;
        const auto refuse = [&](const std::string& why) {
            return Status::conflict({}, "pods/binding", name, why);
        };
        if (const std::string_view uid = uid_of(body); !uid.empty() && uid != uid_of(pod)) {
            return precondition_failed(kind, namespace_name, name, "UID", uid, uid_of(pod), context.dry_run);
        }
        const std::string_view wanted = string_at(body, {"metadata", "resourceVersion"});
        const std::string_view version = string_at(pod, {"metadata", "resourceVersion"});
        if (!wanted.empty() && wanted != version) {
            return precondition_failed(kind, namespace_name, name, "ResourceVersion", wanted, version, context.dry_run);
        }
        if (find(pod, {"metadata", "deletionTimestamp"}) != nullptr) {
            return refuse("pod " + std::string(name) + " is being deleted, cannot be assigned to a host");
        }
        const std::string_view bound = string_at(pod, {"spec", "nodeName"});
        if (!bound.empty()) {
            return refuse("pod " + std::string(name) + " is already assigned to node \"" + std::string(bound) + "\"");
        }
        if (!array_at(pod, {"spec", "schedulingGates"}).empty()) {
            return refuse("pod " + std::string(name) + " has non-empty .spec.schedulingGates");
        }
        pod["spec"]["nodeName"] = string_at(body, {"target", "name"});
        take_from_binding(pod, body, registry.kinds().minor());
        Json& conditions = ensure(pod, {"status"})["conditions"];
        if (!conditions.is_array()) conditions = Json::array();
        Json scheduled = {{"type", "PodScheduled"}, {"status", "True"}, {"lastTransitionTime", now}};
        for (Json& condition : conditions) {
            if (string_at(condition, {"type"}) == "PodScheduled") {
                condition = scheduled;
                return true;
            }
        }
        conditions.push_back(std::move(scheduled));
        return true;
    };
    return registry.update(kind, namespace_name, name, "binding", change, context, std::move(done));
}

}  // namespace

ApiResult<Written> post_subresource(Registry& registry, const KindSpec& kind, std::string_view namespace_name, std::string_view name,
                                    std::string_view subresource, const Json& body, const WriteContext& context,
                                    storage::Completion done) {
    if (subresource != "binding" && subresource != "eviction") return Status::method_not_supported(kind.group, kind.plural, "create");
    TRY(check_namespace(body, namespace_name));
    // Judged before the first write that comes of it.
    Json posted = body;
    RequestScope scope;
    scope.posted_subresource = subresource;
    scope.posted = &posted;
    const auto post = subresource == "binding" ? bind : evict;
    return post(registry, kind, namespace_name, name, posted, context, std::move(done));
}

namespace {

// What stands for "no replicas" in the Scale of a custom resource until a patch has said how many.
constexpr std::int64_t unset_replicas = INT32_MIN;

Json custom_scale(const ScalePaths& paths, const Json& object, Json scale) {
    const auto number = [&object](const ScalePath& path, std::int64_t otherwise) {
        const Json* value = value_at(object, path);
        return value != nullptr && value->is_number_integer() ? value->get<std::int64_t>() : otherwise;
    };
    if (const std::int64_t replicas = number(paths.spec_replicas, unset_replicas)) scale["spec"]["replicas"] = replicas;
    scale["status"] = {{"replicas", number(paths.status_replicas, 0)}};
    const Json* selector = paths.label_selector ? value_at(object, *paths.label_selector) : nullptr;
    if (selector != nullptr && selector->is_string() && *selector != "") scale["status"]["selector"] = *selector;
    return scale;
}

ApiResult<bool> apply_custom_scale(const ScalePaths& paths, Json& object, std::int64_t replicas) {
    if (replicas == unset_replicas) {
        return Status::bad_request("the spec replicas field " + go_quote(paths.spec_replicas.text) + " cannot be empty");
    }
    Json* at = &object;
    for (const std::string& step : paths.spec_replicas.steps) {
        if (!at->is_object()) *at = Json::object();
        at = &(*at)[step];
    }
    *at = replicas;
    return true;
}

}  // namespace

ApiResult<Json> read_scale(const KindSpec& kind, const Json& object) {
    Json scale = scale_of(kind, object);
    if (kind.custom != nullptr && int_at(scale, {"spec", "replicas"}) == unset_replicas) {
        return Status::internal("the spec replicas field " + go_quote(kind.custom->scale->spec_replicas.text) + " does not exist");
    }
    return scale;
}

Json scale_of(const KindSpec& kind, const Json& object) {
    Json scale = {{"kind", "Scale"}, {"apiVersion", "autoscaling/v1"}};
    Json& metadata = scale["metadata"];
    for (const char* member : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"}) {
        if (const Json* value = find(object, {"metadata", member})) metadata[member] = *value;
    }
    scale["spec"] = Json::object();
    if (kind.custom != nullptr && kind.custom->scale) return custom_scale(*kind.custom->scale, object, std::move(scale));
    if (const std::int64_t replicas = int_at(object, {"spec", "replicas"})) scale["spec"]["replicas"] = replicas;
    scale["status"] = {{"replicas", int_at(object, {"status", "replicas"})}};
    const Json* selector = find(object, {"spec", "selector"});
    if (selector != nullptr) {
        const bool plain = string_at(object, {"kind"}) == "ReplicationController";
        const std::string text = (plain ? LabelSelector::from_map(*selector) : LabelSelector::from_object(*selector)).text();
        if (!text.empty()) scale["status"]["selector"] = text;
    }
    return scale;
}

std::vector<std::string> replica_steps(const KindSpec& kind) {
    if (kind.custom == nullptr || !kind.custom->scale) return {"f:spec", "f:replicas"};
    std::vector<std::string> steps;
    for (const std::string& step : kind.custom->scale->spec_replicas.steps) steps.push_back("f:" + step);
    return steps;
}

Json owned_scale_of(const KindSpec& kind, const Json& object) {
    Json scale = scale_of(kind, object);
    owners_to_scale(object, replica_steps(kind), scale);
    return scale;
}

Status missing_scale(const KindSpec& kind, std::string_view name) {
    const bool of_core = kind.resource == "replicationcontrollers";
    const bool own = of_core || kind.resource == "deployments.apps" || kind.resource == "replicasets.apps";
    const std::string plural = std::string(kind.plural) + (own ? "/scale" : "");
    return Status::not_found(of_core ? "autoscaling" : kind.group, plural, name);
}

ApiResult<bool> apply_scale(const KindSpec& kind, Json& object, const Json& scale) {
    const std::int64_t replicas = int_at(scale, {"spec", "replicas"});
    const bool custom = kind.custom != nullptr && kind.custom->scale;
    if (!custom && replicas < 0) {
        FieldErrors errors;
        errors.invalid(FieldPath("spec.replicas"), replicas, "must be greater than or equal to 0");
        return Status::invalid("autoscaling", "Scale", name_of(object), errors);
    }
    if (custom) TRY(apply_custom_scale(*kind.custom->scale, object, replicas));
    else object["spec"]["replicas"] = replicas;
    if (const Json* revision = find(scale, {"metadata", "resourceVersion"})) object["metadata"]["resourceVersion"] = *revision;
    return true;
}

}  // namespace kubemu::api
