// Ephemeral containers: debugging aids in a running pod, without what belongs to containers that serve.
#include <nlohmann/json.hpp>

#include "api/kinds/core/pod_checks.h"

namespace kubemu::api::pods {
namespace {

constexpr std::string_view not_here = "cannot be set for an Ephemeral Container";

// Members of a container that it may not have, in the order of the real server's struct.
constexpr std::string_view others[] = {"ports",         "resizePolicy",   "restartPolicy", "restartPolicyRules",
                                       "livenessProbe", "readinessProbe", "startupProbe",  "lifecycle"};

std::string_view text(const Json& object, std::string_view member) { return string_at(object, {member}); }

void forbid_others(const Json& container, const FieldPath& path, FieldErrors& errors) {
    const auto forbid = [&](std::string_view member) {
        const Json* value = find(container, member);
        if (value != nullptr && !(member == "resources" && value->empty())) errors.forbidden(path.child(member), not_here);
    };
    forbid(others[0]);
    forbid("resources");
    for (std::size_t i = 1; i < std::size(others); ++i) forbid(others[i]);
    std::size_t i = 0;
    for (const Json& mount : array_at(container, {"volumeMounts"})) {
        const FieldPath at = path.child("volumeMounts").index(i++);
        for (const char* member : {"subPath", "subPathExpr"}) {
            if (!text(mount, member).empty()) errors.forbidden(at.child(member), not_here);
        }
    }
}

}  // namespace

void validate_ephemeral_containers(const PodContext& context, const FieldPath& path, FieldErrors& errors) {
    const Json& containers = array_at(context.spec, {"ephemeralContainers"});
    if (containers.empty()) return;
    std::set<std::string_view> others_names;
    for (const char* list : {"containers", "initContainers"}) {
        for (const Json& container : array_at(context.spec, {list})) others_names.insert(text(container, "name"));
    }
    std::set<std::string_view> names = others_names;
    std::size_t i = 0;
    for (const Json& container : containers) {
        const FieldPath at = path.index(i++);
        validate_container_common(container, context, at, errors);
        validate_image_whitespace(container, at, errors);
        const std::string_view name = text(container, "name"), target = text(container, "targetContainerName");
        if (!names.insert(name).second) errors.duplicate(at.child("name"), std::string(name));
        if (!target.empty() && !others_names.contains(target)) {
            errors.not_found(at.child("targetContainerName"), std::string(target));
        }
        forbid_others(container, at, errors);
    }
}

}  // namespace kubemu::api::pods
