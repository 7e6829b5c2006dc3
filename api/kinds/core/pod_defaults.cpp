// Defaults of pods that depend on other fields; the others are in the type table.
#include <nlohmann/json.hpp>

#include "api/kinds/core/image_reference.h"
#include "api/kinds/core/pod_checks.h"
#include "api/kinds/core/pod_spec.h"
#include "api/kinds/validation.h"

namespace kubemu::api {
namespace {

// "nginx", "nginx:latest" and "repo:5000/nginx" are pulled always; what has another tag, a digest alone, or is no name of
// an image is not.
bool has_moving_tag(std::string_view image) {
    const auto reference = ImageReference::parse(image);
    if (!reference) return false;
    return reference->tag == "latest" || (reference->tag.empty() && reference->digest.empty());
}

void default_pull_policy(Json& object, const char* policy, const char* image) {
    if (!string_at(object, {policy}).empty()) return;
    object[policy] = has_moving_tag(string_at(object, {image})) ? "Always" : "IfNotPresent";
}

void default_container(Json& container) {
    default_pull_policy(container, "imagePullPolicy", "image");
    // Without a user namespace the kernel's files stay masked, whatever was asked for.
    if (Json* mount = find(container, {"securityContext", "procMount"}); mount != nullptr && *mount != "Unmasked") {
        *mount = "Default";
    }
}

template <class Change>
void each(Json& spec, std::initializer_list<const char*> lists, const Change& change) {
    for (const char* list : lists) {
        Json* items = find(spec, list);
        if (items == nullptr || !items->is_array()) continue;
        for (Json& item : *items) {
            if (item.is_object()) change(item);
        }
    }
}

void default_requests(Json& container) {
    const Json* limits = find(container, {"resources", "limits"});
    if (limits == nullptr || !limits->is_object()) return;
    Json& requests = container["resources"]["requests"];
    if (!requests.is_object()) requests = Json::object();
    for (const auto& [name, value] : container["resources"]["limits"].items()) {
        if (!requests.contains(name)) requests[name] = value;
    }
}

void default_host_ports(Json& container) {
    Json* ports = find(container, "ports");
    if (ports == nullptr || !ports->is_array()) return;
    for (Json& port : *ports) {
        if (port.is_object() && int_at(port, {"hostPort"}) == 0) port["hostPort"] = int_at(port, {"containerPort"});
    }
}

// spec.resources, once somebody has begun it (KEP 2837): huge pages of the containers are its limits; its requests are
// those of the containers, or else its limits.
void default_pod_level_resources(Json& spec) {
    Json* own = find(spec, "resources");
    if (own == nullptr || !own->is_object()) return;
    if (object_at(*own, {"limits"}).empty() && object_at(*own, {"requests"}).empty()) return;
    for (const auto& [name, value] : pods::aggregate_resources(spec, "limits")) {
        if (is_huge_page_resource(name) && find(*own, {"limits", name}) == nullptr) ensure(*own, {"limits"})[name] = value.text();
    }
    if (object_at(*own, {"limits"}).empty()) return;
    for (const auto& [name, value] : pods::aggregate_resources(spec, "requests")) {
        if (!pods::pod_level_resource(name) || !is_overcommit_allowed(name)) continue;
        if (find(*own, {"requests", name}) == nullptr) ensure(*own, {"requests"})[name] = value.text();
    }
    const Json limits = object_at(*own, {"limits"});
    for (const auto& [name, value] : limits.items()) {
        if (!pods::pod_level_resource(name)) continue;
        if (find(*own, {"requests", name}) == nullptr) ensure(*own, {"requests"})[name] = value;
    }
}

}  // namespace

void default_pod_spec(Json& spec) {
    if (!spec.is_object()) return;
    each(spec, {"containers", "initContainers", "ephemeralContainers"}, default_container);
    each(spec, {"volumes"}, [](Json& volume) {
        if (volume.size() == (volume.contains("name") ? 1 : 0)) volume["emptyDir"] = Json::object();
        if (Json* image = find(volume, "image"); image != nullptr && image->is_object()) {
            default_pull_policy(*image, "pullPolicy", "reference");
        }
    });
    // serviceAccount is the old name of serviceAccountName; both are kept alike.
    const std::string account(string_at(spec, {"serviceAccountName"}, string_at(spec, {"serviceAccount"})));
    if (!account.empty()) {
        spec["serviceAccountName"] = account;
        spec["serviceAccount"] = account;
    }
}

void default_pod(Json& pod) {
    Json* spec = find(pod, "spec");
    if (spec == nullptr || !spec->is_object()) return;
    each(*spec, {"containers", "initContainers"}, default_requests);
    // There is no waiting for less than nothing.
    if (Json* grace = find(*spec, "terminationGracePeriodSeconds"); grace != nullptr && grace->is_number() && *grace < 0) {
        *grace = 1;
    }
    if (find(*spec, "enableServiceLinks") == nullptr) (*spec)["enableServiceLinks"] = true;
    if (bool_at(*spec, {"hostNetwork"})) each(*spec, {"containers", "initContainers"}, default_host_ports);
    default_pod_level_resources(*spec);
}

}  // namespace kubemu::api
