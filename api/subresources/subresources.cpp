// Binding, eviction and scale.
#include "api/subresources/subresources.h"

#include <nlohmann/json.hpp>

#include "api/selector/label.h"
#include "api/subresources/eviction.h"
#include "api/values/time.h"

namespace kubemu::api {
namespace {

ApiResult<Written> bind(Registry& registry, const KindSpec& kind, std::string_view namespace_name, std::string_view name,
                        const Json& body, const WriteContext& context, storage::Completion done) {
    if (!name_of(body).empty() && name_of(body) != name) {
        return Status::bad_request("name in URL does not match name in Binding object");
    }
    const std::string node(string_at(body, {"target", "name"}));
    const std::string target(string_at(body, {"target", "kind"}));
    if (!target.empty() && target != "Node") {
        return Status::plain_500("target.kind: Unsupported value: \"" + target + "\": supported values: \"Node\", \"<empty>\"");
    }
    if (node.empty()) return Status::plain_500("target.name: Required value");
    const std::string now = format_time(registry.clock().now());
    const auto change = [&](Json& pod, bool) -> ApiResult<bool> {
        const auto refuse = [&](const std::string& why) {
            return Status::conflict({}, "pods/binding", name, why);
        };
        if (find(pod, {"metadata", "deletionTimestamp"}) != nullptr) {
            return refuse("pod " + std::string(name) + " is being deleted, cannot be assigned to a host");
        }
        const std::string_view bound = string_at(pod, {"spec", "nodeName"});
        if (!bound.empty()) {
            return refuse("pod " + std::string(name) + " is already assigned to node \"" + std::string(bound) + "\"");
        }
        pod["spec"]["nodeName"] = node;
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
    if (subresource == "binding") return bind(registry, kind, namespace_name, name, body, context, std::move(done));
    if (subresource == "eviction") return evict(registry, kind, namespace_name, name, body, context, std::move(done));
    return Status::method_not_supported(kind.group, kind.plural, "create");
}

Json scale_of(const Json& object) {
    Json scale = {{"kind", "Scale"}, {"apiVersion", "autoscaling/v1"}};
    Json& metadata = scale["metadata"];
    for (const char* member : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"}) {
        if (const Json* value = find(object, {"metadata", member})) metadata[member] = *value;
    }
    scale["spec"] = Json::object();
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

ApiResult<bool> apply_scale(Json& object, const Json& scale) {
    const std::int64_t replicas = int_at(scale, {"spec", "replicas"});
    if (replicas < 0) {
        FieldErrors errors;
        errors.invalid(FieldPath("spec.replicas"), replicas, "must be greater than or equal to 0");
        return Status::invalid("autoscaling", "Scale", name_of(object), errors);
    }
    object["spec"]["replicas"] = replicas;
    if (const Json* revision = find(scale, {"metadata", "resourceVersion"})) object["metadata"]["resourceVersion"] = *revision;
    return true;
}

}  // namespace kubemu::api
