// Custom resources: everything about them follows from their definition
// (k8s.io/apiextensions-apiserver/pkg/registry/customresource).
#include "api/crd/custom_resource.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "api/cel/rules.h"
#include "api/kinds/apiextensions/custom_metadata.h"
#include "api/kinds/rules.h"
#include "api/schema/validate_schema.h"
#include "api/values/go_print.h"
#include "api/values/names.h"
#include "api/values/text.h"

namespace kubemu::api::kinds {
namespace {

void prepare_for_create(Json& object, const HookContext& context) {
    if (context.kind.custom->has_status) erase(object, "status");
}

bool same_but_metadata(const Json& a, const Json& b) {
    const auto skip = [](const std::string& name) { return name == "metadata" || name == "kind" || name == "apiVersion"; };
    const auto contained = [&skip](const Json& in, const Json& of) {
        for (const auto& [name, value] : in.items()) {
            if (skip(name)) continue;
            const auto at = of.find(name);
            if (at == of.end() || *at != value) return false;
        }
        return true;
    };
    return contained(a, b) && contained(b, a);
}

void prepare_for_update(Json& object, const Json& old, const HookContext& context) {
    if (context.kind.custom->has_status) {
        const auto status = old.find("status");
        if (status != old.end()) object["status"] = *status;
        else erase(object, "status");
    }
    if (!same_but_metadata(object, old)) object["metadata"]["generation"] = int_at(old, {"metadata", "generation"}) + 1;
}

// A status write changes nothing else, metadata included.
void prepare_for_status_update(Json& object, const Json& old, const HookContext&) {
    Json metadata = object_at(old, {"metadata"});
    const Json* fields = find(object, {"metadata", "managedFields"});
    if (fields != nullptr) metadata["managedFields"] = *fields;
    else metadata.erase("managedFields");
    object["metadata"] = std::move(metadata);
}

void check_replicas(const Json& object, const ScalePath& path, FieldErrors& errors) {
    const FieldPath field(path.text);
    std::string complaint;
    const Json* value = value_at(object, path, &complaint);
    if (value != nullptr && !value->is_number_integer()) {
        complaint = "." + join(path.steps, ".") + " accessor error: " + go_typed(*value) + ", expected int64";
    }
    if (!complaint.empty()) return errors.invalid(field, 0, complaint);
    const std::int64_t replicas = value == nullptr ? 0 : value->get<std::int64_t>();
    if (replicas < 0) errors.invalid(field, replicas, "should be a non-negative integer");
    else if (replicas > std::numeric_limits<std::int32_t>::max()) errors.invalid(field, replicas, "should be less than or equal to 2147483647");
}

void check_scale_spec(const Json& object, const CustomVersion& custom, FieldErrors& errors) {
    if (custom.scale) check_replicas(object, custom.scale->spec_replicas, errors);
}

void check_scale_status(const Json& object, const CustomVersion& custom, FieldErrors& errors) {
    if (!custom.scale) return;
    check_replicas(object, custom.scale->status_replicas, errors);
    if (!custom.scale->label_selector) return;
    const ScalePath& path = *custom.scale->label_selector;
    std::string complaint;
    const Json* value = value_at(object, path, &complaint);
    if (value != nullptr && !value->is_string()) {
        complaint = "." + join(path.steps, ".") + " accessor error: " + go_typed(*value) + ", expected string";
    }
    if (!complaint.empty()) errors.invalid(FieldPath(path.text), "", complaint);
}

// Rules are only run on objects whose values are what their schemas say.
void check_by_rules(const Json& object, const Json* old, const CustomVersion& custom, FieldErrors& errors) {
    if (!custom.schema.rules_within) return;
    if (!cel::blocks_rules(errors)) return cel::validate_rules(object, old, custom.schema, FieldPath(), errors);
    errors.add({"FieldValueInvalid", "<nil>",
                "Invalid value: \"null\": some validation rules were not checked because the object was invalid; "
                "correct the existing errors to complete validation"});
}

void validate(const Json& object, const HookContext& context, FieldErrors& errors) {
    const CustomVersion& custom = *context.kind.custom;
    structural::validate_value(object, custom.schema, FieldPath(), errors);
    check_scale_spec(object, custom, errors);
    check_scale_status(object, custom, errors);
    validate_embedded_resources(object, custom.schema, FieldPath(), errors);
    structural::validate_list_types(object, custom.schema, FieldPath(), errors);
    check_by_rules(object, nullptr, custom, errors);
}

// Lists that broke their promise before may go on doing so.
void check_lists(const Json& object, const Json& old, const CustomVersion& custom, FieldErrors& errors) {
    FieldErrors before;
    structural::validate_list_types(old, custom.schema, FieldPath(), before);
    if (before.empty()) structural::validate_list_types(object, custom.schema, FieldPath(), errors);
}

void validate_update(const Json& object, const Json& old, const HookContext& context, FieldErrors& errors) {
    const CustomVersion& custom = *context.kind.custom;
    structural::validate_value(object, custom.schema, FieldPath(), errors, &old);
    check_scale_spec(object, custom, errors);
    check_scale_status(object, custom, errors);
    validate_embedded_resources(object, custom.schema, FieldPath(), errors);
    check_lists(object, old, custom, errors);
    check_by_rules(object, &old, custom, errors);
}

void validate_status_update(const Json& object, const Json& old, const HookContext& context, FieldErrors& errors) {
    const CustomVersion& custom = *context.kind.custom;
    const auto status = object.find("status"), before = old.find("status");
    if (status != object.end() && custom.status_schema != nullptr) {
        structural::validate_value(*status, *custom.status_schema, FieldPath("status"), errors, before == old.end() ? nullptr : &*before);
    }
    check_scale_status(object, custom, errors);
    check_lists(object, old, custom, errors);
    check_by_rules(object, &old, custom, errors);
}

// Nothing new is made of what is about to go.
ApiResult<bool> allocate(Json& object, const Json* old, const HookContext& context) {
    if (old != nullptr || !context.kind.custom->resource->terminating()) return true;
    return Status::forbidden(context.kind.group, context.kind.plural, name_of(object),
                             "create not allowed while custom resource definition is terminating");
}

void warnings(const Json& object, const Json* old, const HookContext&, std::vector<std::string>& out) {
    static const Json none = Json::array();
    const Json& known = old == nullptr ? none : array_at(*old, {"metadata", "finalizers"});
    std::vector<std::string> added;
    for (const Json& finalizer : array_at(object, {"metadata", "finalizers"})) {
        if (std::find(known.begin(), known.end(), finalizer) == known.end()) added.push_back(finalizer.get<std::string>());
    }
    std::sort(added.begin(), added.end());
    for (const std::string& name : added) {
        const std::string where = "metadata.finalizers: " + go_quote(name) + ": ";
        for (const std::string& message : check_qualified_name(name)) out.push_back(where + message);
        if (name.find('/') != std::string::npos || name == "orphan" || name == "foregroundDeletion" || name == "kubernetes") continue;
        out.push_back(where + "prefer a domain-qualified finalizer name " +
                      (name.find('.') != std::string::npos ? "including a path (/) " : "") +
                      "to avoid accidental conflicts with other finalizer writers");
    }
}

}  // namespace

extern const KindRules custom_resource_rules;
const KindRules custom_resource_rules = {
    .prepare_for_create = prepare_for_create,
    .prepare_for_update = prepare_for_update,
    .prepare_for_status_update = prepare_for_status_update,
    .validate = validate,
    .validate_update = validate_update,
    .validate_status_update = validate_status_update,
    .validates_updates_apart = true,
    .warnings = warnings,
    .allocate = allocate,
};

}  // namespace kubemu::api::kinds
