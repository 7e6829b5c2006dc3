// Rules of Namespaces: their own finalizers (spec.finalizers), which only the subresource finalize changes.
#include <nlohmann/json.hpp>

#include "api/kinds/rules.h"
#include "api/kinds/validation.h"
#include "api/values/names.h"

namespace kubemu::api::kinds {
namespace {

constexpr const char* kubernetes_finalizer = "kubernetes";

void set_defaults(Json& object, const HookContext&) {
    const std::string name(name_of(object));
    if (!name.empty()) ensure(object, {"metadata", "labels"})["kubernetes.io/metadata.name"] = name;
    if (string_at(object, {"status", "phase"}).empty()) ensure(object, {"status"})["phase"] = "Active";
}

// kube-apiserver adds its finalizer to those that the client names.
void prepare_for_create(Json& object, const HookContext& context) {
    set_defaults(object, context);
    object["status"] = {{"phase", "Active"}};
    Json& finalizers = ensure(object, {"spec"})["finalizers"];
    if (!finalizers.is_array()) finalizers = Json::array();
    for (const Json& finalizer : finalizers) {
        if (finalizer == kubernetes_finalizer) return;
    }
    finalizers.push_back(kubernetes_finalizer);
}

void keep(Json& object, const Json& old, const char* member) {
    if (const Json* value = find(old, member)) {
        object[member] = *value;
    } else {
        erase(object, member);
    }
}

void prepare_for_update(Json& object, const Json& old, const HookContext& context) {
    keep(object, old, "status");
    if (context.subresource != "finalize") keep(object, old, "spec");
}

void prepare_for_status_update(Json& object, const Json& old, const HookContext&) {
    keep(object, old, "spec");
}

void validate_finalizer(const std::string& name, const FieldPath& path, FieldErrors& errors) {
    validate_qualified_name(name, path, errors);
    if (name.find('/') == std::string::npos && !is_standard_finalizer(name)) {
        errors.invalid(path, name, "name is neither a standard finalizer name nor is it fully qualified");
    }
}

void validate_create(const Json& object, const HookContext&, FieldErrors& errors) {
    for (const Json& finalizer : array_at(object, {"spec", "finalizers"})) {
        validate_finalizer(finalizer.get<std::string>(), FieldPath("spec.finalizers"), errors);
    }
}

void validate_update(const Json& object, const Json&, const HookContext& context, FieldErrors& errors) {
    if (context.subresource != "finalize") return;
    std::size_t i = 0;
    for (const Json& finalizer : array_at(object, {"spec", "finalizers"})) {
        validate_finalizer(finalizer.get<std::string>(), FieldPath("spec.finalizers").index(i++), errors);
    }
}

void validate_status_update(const Json& object, const Json&, const HookContext&, FieldErrors& errors) {
    const bool deleting = find(object, {"metadata", "deletionTimestamp"}) != nullptr;
    const std::string phase(string_at(object, {"status", "phase"}));
    const FieldPath path("status.Phase");
    if (!deleting && phase != "Active")
        errors.invalid(path, phase, "may only be 'Active' if `deletionTimestamp` is empty");
    if (deleting && phase != "Terminating") {
        errors.invalid(path, phase, "may only be 'Terminating' if `deletionTimestamp` is not empty");
    }
}

bool has_pending_finalizers(const Json& object) {
    return !array_at(object, {"spec", "finalizers"}).empty();
}

}  // namespace

extern const KindRules namespace_rules;
const KindRules namespace_rules{.set_defaults = set_defaults,
                                .prepare_for_create = prepare_for_create,
                                .prepare_for_update = prepare_for_update,
                                .prepare_for_status_update = prepare_for_status_update,
                                .validate_create = validate_create,
                                .validate_update = validate_update,
                                .validate_status_update = validate_status_update,
                                .validate_name = check_name_as_label,
                                .has_pending_finalizers = has_pending_finalizers};

}  // namespace kubemu::api::kinds
