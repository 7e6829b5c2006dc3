// What the resize subresource of a pod may change: cpu and memory of its containers and of itself.
#include <nlohmann/json.hpp>

#include "api/kinds/core/pod_checks.h"
#include "api/kinds/core/pod_requests.h"
#include "api/kinds/core/pod_spec.h"

namespace kubemu::api {
namespace {

constexpr std::string_view mirror = "kubernetes.io/config.mirror";

std::string_view text(const Json& object, std::string_view member) { return string_at(object, {member}); }

bool resources_removed(const Json& now, const Json& before) {
    for (const auto& [name, value] : before.items()) {
        if (!now.contains(name)) return true;
    }
    return false;
}

void validate_removed_resources(const Json& now, const Json& before, const FieldPath& path, std::string_view what,
                                FieldErrors& errors) {
    for (const char* list : {"requests", "limits"}) {
        if (!resources_removed(object_at(now, {list}), object_at(before, {list}))) continue;
        errors.forbidden(path.child(list), std::string(what) + " " + list + " cannot be removed");
    }
}

// `owner` with cpu and memory as they were: what is left must not have changed.
Json without_compute_changes(const Json& owner, const Json& before) {
    Json same = owner;
    for (const char* list : {"requests", "limits"}) {
        Json values = object_at(owner, {"resources", list});
        const Json& was = object_at(before, {"resources", list});
        for (const char* name : {"cpu", "memory"}) {
            if (const Json* value = find(was, name)) values[name] = *value;
            else values.erase(name);
        }
        Json& resources = ensure(same, {"resources"});
        if (values.empty()) resources.erase(list);
        else resources[list] = std::move(values);
    }
    if (same["resources"].empty() && find(before, "resources") == nullptr) same.erase("resources");
    return same;
}

bool validate_resize_order(const Json& spec, const Json& old, FieldErrors& errors) {
    bool same = true;
    for (const char* list : {"containers", "initContainers"}) {
        const Json& now = array_at(spec, {list});
        const Json& before = array_at(old, {list});
        const FieldPath path = FieldPath("spec").child(list);
        if (now.size() != before.size()) {
            errors.forbidden(path, std::string(list) + " may not be added or removed on resize");
            same = false;
            continue;
        }
        for (std::size_t i = 0; i < now.size(); ++i) {
            if (text(now[i], "name") == text(before[i], "name")) continue;
            errors.forbidden(path.index(i).child("name"), std::string(list) + " may not be renamed or reordered on resize");
            same = false;
        }
    }
    return same;
}

bool node_supports_resize(const Json& pod) {
    for (const Json& status : array_at(pod, {"status", "containerStatuses"})) {
        if (find(status, {"state", "running"}) != nullptr) return find(status, "resources") != nullptr;
    }
    return true;
}

void validate_resized_containers(const Json& spec, const Json& old, const char* list, FieldErrors& errors) {
    const Json& now = array_at(spec, {list});
    const Json& before = array_at(old, {list});
    const bool init = std::string_view(list) == "initContainers";
    for (std::size_t i = 0; i < now.size(); ++i) {
        const FieldPath path = init ? FieldPath("spec").child(list).index(i) : FieldPath("spec");
        if (without_compute_changes(now[i], before[i]) != before[i]) {
            errors.forbidden(path, init ? "only cpu and memory resources for init or sidecar containers are mutable"
                                        : "only cpu and memory resources are mutable");
        }
        if (!init || pods::restarts_always(now[i]) || now[i] == before[i]) continue;
        // What starts a pod runs once: there is nothing to restart.
        for (const Json& policy : array_at(now[i], {"resizePolicy"})) {
            if (text(policy, "restartPolicy") != "RestartContainer") continue;
            errors.forbidden(path, "non-sidecar init containers with a resize policy of RestartContainer cannot be resized");
        }
    }
}

}  // namespace

void validate_pod_resize(const Json& pod, const Json& old, FieldErrors& errors) {
    const Json& spec = object_at(pod, {"spec"});
    const Json& before = object_at(old, {"spec"});
    const FieldPath path("spec");
    if (find(old, {"metadata", "annotations", mirror}) != nullptr) {
        return errors.forbidden(FieldPath(), "static pods cannot be resized");
    }
    if (string_at(before, {"os", "name"}) == "windows") {
        return errors.forbidden(FieldPath(), "windows pods cannot be resized");
    }
    const std::string quality = quality_of_service(spec);
    if (string_at(old, {"status", "qosClass"}, quality) != quality) {
        errors.invalid(path, std::string(string_at(pod, {"status", "qosClass"})),
                       "Pod QOS Class may not change as a result of resizing");
    }
    if (!node_supports_resize(old)) errors.forbidden(path, "Pod running on node without support for resize");
    const Json* own = find(spec, "resources");
    const Json* own_before = find(before, "resources");
    if (own_before != nullptr && own == nullptr) {
        errors.forbidden(path.child("resources"), "pod-level resources cannot be removed");
    } else if (own_before != nullptr) {
        validate_removed_resources(*own, *own_before, path.child("resources"), "pod-level resource", errors);
    }
    if (!validate_resize_order(spec, before, errors)) return;
    for (const char* list : {"initContainers", "containers"}) {
        const Json& now = array_at(spec, {list});
        for (std::size_t i = 0; i < now.size(); ++i) {
            const Json& was = array_at(before, {list})[i];
            validate_removed_resources(object_at(now[i], {"resources"}), object_at(was, {"resources"}),
                                       path.child(list).index(i).child("resources"), "resource", errors);
        }
    }
    validate_resized_containers(spec, before, "containers", errors);
    validate_resized_containers(spec, before, "initContainers", errors);
    if (!errors.empty()) return;
    Json same = without_compute_changes(spec, before);
    for (const char* list : {"containers", "initContainers"}) if (const Json* value = find(before, list)) same[list] = *value;
    if (same != before) errors.forbidden(path, "only cpu and memory resources are mutable");
}

}  // namespace kubemu::api
