// Annotations that mean something to the server: mirror pods, deletion cost, old seccomp and AppArmor profiles.
#include <charconv>
#include <nlohmann/json.hpp>

#include "api/kinds/core/pod_checks.h"
#include "api/kinds/validation.h"
#include "api/values/text.h"

namespace kubemu::api::pods {
namespace {

constexpr std::string_view mirror = "kubernetes.io/config.mirror";
constexpr std::string_view deletion_cost = "controller.kubernetes.io/pod-deletion-cost";
constexpr std::string_view old_tolerations = "scheduler.alpha.kubernetes.io/tolerations";
constexpr std::string_view seccomp_of_pod = "seccomp.security.alpha.kubernetes.io/pod";
constexpr std::string_view seccomp_of_container = "container.seccomp.security.alpha.kubernetes.io/";
constexpr std::string_view app_armor_of_container = "container.apparmor.security.beta.kubernetes.io/";

std::string_view text(const Json& object, std::string_view member) { return string_at(object, {member}); }
std::string_view text(const Json& value) {
    return value.is_string() ? std::string_view(value.get_ref<const std::string&>()) : std::string_view();
}

bool valid_deletion_cost(std::string_view value) {
    // Neither "+10" nor "008".
    const bool first = value == "0" || value.starts_with('-') || (!value.empty() && value[0] >= '1' && value[0] <= '9');
    std::int32_t cost = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), cost);
    return first && error == std::errc() && end == value.data() + value.size();
}

void validate_seccomp(std::string_view profile, const FieldPath& path, FieldErrors& errors) {
    if (profile == "runtime/default" || profile == "docker/default" || profile == "unconfined") return;
    if (profile.starts_with("localhost/")) return validate_local_descending_path(profile.substr(10), path, errors);
    errors.invalid(path, std::string(profile), "must be a valid seccomp profile");
}

void validate_app_armor(std::string_view container, std::string_view profile, const Json& spec, const FieldPath& path,
                        FieldErrors& errors) {
    bool found = false;
    visit_containers(spec, FieldPath(), [&](const Json& candidate, const FieldPath&) {
        found = found || text(candidate, "name") == container;
    });
    if (!found) errors.invalid(path, std::string(container), "container not found");
    const bool known = profile.empty() || profile == "runtime/default" || profile == "unconfined" || profile.starts_with("localhost/");
    if (!known) errors.invalid(path, std::string(profile), "invalid AppArmor profile name: " + go_quote(profile));
}

// What a profile is called in an annotation; the field says the same in two members.
void require_same(const Json& profile, std::string_view annotation, bool docker, std::string_view what, const FieldPath& path,
                  FieldErrors& errors) {
    const std::string_view type = text(profile, "type");
    const std::string type_message = std::string(what) + " type in annotation and field must match";
    bool same = true;
    if (type == "Unconfined") {
        same = annotation == "unconfined";
    } else if (type == "RuntimeDefault") {
        same = annotation == "runtime/default" || (docker && annotation == "docker/default");
    } else if (type == "Localhost") {
        same = annotation.starts_with("localhost/");
        if (same && annotation.substr(10) != text(profile, "localhostProfile")) {
            errors.forbidden(path.child("localhostProfile"), std::string(what) + " profile in annotation and field must match");
        }
    }
    if (!same) errors.forbidden(path.child("type"), type_message);
}

}  // namespace

void validate_pod_annotations(const Json& metadata, const Json& spec, const FieldPath& path, FieldErrors& errors) {
    const Json& annotations = object_at(metadata, {"annotations"});
    if (annotations.empty()) return;
    if (const Json* value = find(annotations, mirror); value != nullptr && text(spec, "nodeName").empty()) {
        errors.invalid(path.key(mirror), *value, "must set spec.nodeName if mirror pod annotation is set");
    }
    if (const std::string_view value = text(annotations, old_tolerations); !value.empty()) {
        const Json tolerations = Json::parse(value, nullptr, false);
        if (tolerations.is_array()) validate_tolerations(tolerations, path.child(old_tolerations), errors);
        else errors.invalid(path, std::string(old_tolerations), "invalid character in tolerations");
    }
    if (const Json* value = find(annotations, deletion_cost); value != nullptr && !valid_deletion_cost(text(*value))) {
        errors.invalid(path.key(deletion_cost), *value, "must be a 32bit integer");
    }
    if (const Json* profile = find(annotations, seccomp_of_pod)) {
        validate_seccomp(text(*profile), path.child(seccomp_of_pod), errors);
    }
    for (const auto& [key, value] : annotations.items()) {
        if (key.starts_with(seccomp_of_container)) validate_seccomp(text(value), path.child(key), errors);
    }
    for (const auto& [key, value] : annotations.items()) {
        if (!key.starts_with(app_armor_of_container)) continue;
        validate_app_armor(std::string_view(key).substr(app_armor_of_container.size()), text(value), spec, path.key(key), errors);
    }
}

void validate_profiles_match(const Json& metadata, const Json& spec, const FieldPath& path, FieldErrors& errors) {
    const Json& annotations = object_at(metadata, {"annotations"});
    if (annotations.empty()) return;
    const Json* of_pod = find(spec, {"securityContext", "seccompProfile"});
    if (const Json* annotation = find(annotations, seccomp_of_pod); annotation != nullptr && of_pod != nullptr) {
        require_same(*of_pod, text(*annotation), true, "seccomp", path.child("securityContext").child("seccompProfile"), errors);
    }
    const auto match = [&](const char* member, std::string_view prefix, const Json* fallback, bool docker, std::string_view what) {
        visit_containers(spec, path, [&](const Json& container, const FieldPath& at) {
            const Json* profile = find(container, {"securityContext", member});
            if (profile == nullptr) profile = fallback;
            const Json* annotation = find(annotations, std::string(prefix) + std::string(text(container, "name")));
            if (profile == nullptr || annotation == nullptr) return;
            require_same(*profile, text(*annotation), docker, what, at.child("securityContext").child(member), errors);
        });
    };
    match("seccompProfile", seccomp_of_container, nullptr, true, "seccomp");
    if (string_at(spec, {"os", "name"}) != "windows") {
        match("appArmorProfile", app_armor_of_container, find(spec, {"securityContext", "appArmorProfile"}), false, "apparmor");
    }
}

}  // namespace kubemu::api::pods
