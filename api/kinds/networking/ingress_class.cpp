// Rules of IngressClass.
#include <nlohmann/json.hpp>

#include "api/kinds/define.h"
#include "api/kinds/domains.h"
#include "api/kinds/validation.h"

namespace kubemu::api::kinds {
namespace {

constexpr std::size_t controller_bytes_max = 250;

void set_defaults(Json& object, const HookContext&) {
    Json* parameters = find(object, {"spec", "parameters"});
    if (parameters != nullptr && parameters->is_object() && find(*parameters, "scope") == nullptr) {
        (*parameters)["scope"] = "Cluster";
    }
}

void validate_parameters(const Json& parameters, const FieldPath& path, FieldErrors& errors) {
    if (const Json* group = find(parameters, "apiGroup"); group != nullptr && group->is_string()) {
        const auto& text = group->get_ref<const std::string&>();
        add_invalid(check_dns1123_subdomain(text), path.child("apiGroup"), text, errors);
    }
    for (const char* member : {"kind", "name"}) {
        const std::string_view text = string_at(parameters, {member});
        if (!validate_required(text, path.child(member), errors)) continue;
        add_invalid(check_path_segment(text, false), path.child(member), text, errors);
    }
    const std::string scope(string_at(parameters, {"scope"}));
    const Json* space = find(parameters, "namespace");
    if (find(parameters, "scope") == nullptr) {
        errors.required(path.child("scope"), "");
    } else if (scope != "Cluster" && scope != "Namespace") {
        errors.not_supported(path.child("scope"), scope, {"Cluster", "Namespace"});
    } else if (scope == "Cluster" && space != nullptr) {
        errors.forbidden(path.child("namespace"), "`parameters.scope` is set to 'Cluster'");
    } else if (scope == "Namespace" && space == nullptr) {
        errors.required(path.child("namespace"), "`parameters.scope` is set to 'Namespace'");
    } else if (space != nullptr && space->is_string()) {
        const auto& text = space->get_ref<const std::string&>();
        add_invalid(check_dns1123_label(text), path.child("namespace"), text, errors);
    }
}

void validate(const Json& object, const HookContext&, FieldErrors& errors) {
    const FieldPath spec("spec");
    const std::string_view controller = string_at(object, {"spec", "controller"});
    if (validate_required(controller, spec.child("controller"), errors)) {
        if (controller.size() > controller_bytes_max)
            errors.too_long(spec.child("controller"), controller_bytes_max);
        validate_domain_prefixed_path(controller, spec.child("controller"), errors);
    }
    if (const Json* parameters = find(object, {"spec", "parameters"})) {
        validate_parameters(*parameters, spec.child("parameters"), errors);
    }
}

void validate_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    validate_immutable_text(string_at(object, {"spec", "controller"}), string_at(old, {"spec", "controller"}),
                            FieldPath("spec").child("controller"), errors);
}

}  // namespace

KUBEMU_RULES(ingress_class_rules){.set_defaults = set_defaults, .validate = validate, .validate_update = validate_update};

}  // namespace kubemu::api::kinds
