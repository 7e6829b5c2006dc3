// CustomResourceDefinition: names that are made up, versions that are stored, deletion that waits for the instances
// (k8s.io/apiextensions-apiserver/pkg/registry/customresourcedefinition).
#include "api/kinds/apiextensions/definition.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/kinds/rules.h"
#include "api/values/text.h"
#include "api/values/time.h"

namespace kubemu::api::kinds {
namespace {

constexpr std::string_view cleanup_finalizer = "customresourcecleanup.apiextensions.k8s.io";

// The first that is marked; null when none is.
const Json* storage_version(const Json& definition) {
    for (const Json& version : array_at(definition, {"spec", "versions"})) {
        if (bool_at(version, {"storage"})) return &version;
    }
    return nullptr;
}

// Every version that objects were ever stored in is kept on record.
void note_storage_version(Json& definition) {
    const Json* version = storage_version(definition);
    if (version == nullptr) return;
    const std::string name(string_at(*version, {"name"}));
    Json& stored = ensure(definition, {"status"})["storedVersions"];
    if (!stored.is_array()) stored = Json::array();
    if (std::find(stored.begin(), stored.end(), Json(name)) == stored.end()) stored.push_back(name);
}

}  // namespace

void default_definition(Json& definition, const HookContext&) {
    Json& names = ensure(definition, {"spec", "names"});
    const std::string kind(string_at(names, {"kind"}));
    if (string_at(names, {"singular"}).empty() && !kind.empty()) names["singular"] = lower(kind);
    if (string_at(names, {"listKind"}).empty() && !kind.empty()) names["listKind"] = kind + "List";
    Json& spec = definition["spec"];
    if (find(spec, "conversion") == nullptr) spec["conversion"] = {{"strategy", "None"}};
    // A webhook that says nothing is none.
    if (const Json* webhook = find(spec, {"conversion", "webhook"}); webhook != nullptr && webhook->empty()) {
        erase(spec["conversion"], "webhook");
    }
    if (array_at(definition, {"status", "storedVersions"}).empty()) note_storage_version(definition);
}

void prepare_new_definition(Json& definition, const HookContext&) {
    definition["status"] = Json::object();
    note_storage_version(definition);
}

void prepare_changed_definition(Json& definition, const Json& old, const HookContext&) {
    const Json* status = find(old, "status");
    definition["status"] = status != nullptr ? *status : Json::object();
    note_storage_version(definition);
}

namespace {

void validate(const Json& definition, const HookContext&, FieldErrors& errors) {
    validate_definition(definition, nullptr, errors);
}

void validate_update(const Json& definition, const Json& old, const HookContext&, FieldErrors& errors) {
    validate_definition(definition, &old, errors);
}

void validate_status_update(const Json& definition, const Json&, const HookContext&, FieldErrors& errors) {
    validate_definition_status(definition, errors);
}

std::vector<std::string> unknown_formats(const Json& definition) {
    std::vector<std::string> found;
    for (const Json& version : array_at(definition, {"spec", "versions"})) {
        const structural::Schema schema = structural::parse_schema(object_at(version, {"schema", "openAPIV3Schema"}));
        structural::any_schema(schema, [&found](const structural::Schema& node) {
            if (!structural::known_format(node)) found.push_back(node.format);
            return false;
        });
    }
    return found;
}

void warnings(const Json& definition, const Json* old, const HookContext&, std::vector<std::string>& out) {
    const std::vector<std::string> before = old == nullptr ? std::vector<std::string>() : unknown_formats(*old);
    for (const std::string& format : unknown_formats(definition)) {
        if (std::find(before.begin(), before.end(), format) == before.end()) {
            out.push_back("unrecognized format " + go_quote(format));
        }
    }
}

}  // namespace

void mark_definition_deleted(Json& definition, const HookContext& context) {
    const std::string now = format_time(context.now);
    Json& metadata = ensure(definition, {"metadata"});
    metadata["deletionTimestamp"] = now;
    Json& finalizers = metadata["finalizers"];
    if (!finalizers.is_array()) finalizers = Json::array();
    const Json own = std::string(cleanup_finalizer);
    if (std::find(finalizers.begin(), finalizers.end(), own) == finalizers.end()) finalizers.push_back(own);
    set_condition(definition, "Terminating", true, "InstanceDeletionPending",
                  "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon", now);
}

const Json* find_condition(const Json& definition, std::string_view type) {
    for (const Json& condition : array_at(definition, {"status", "conditions"})) {
        if (string_at(condition, {"type"}) == type) return &condition;
    }
    return nullptr;
}

void set_condition(Json& definition, std::string_view type, bool status, std::string_view reason, std::string_view message,
                   std::string_view now) {
    Json& conditions = ensure(definition, {"status"})["conditions"];
    if (!conditions.is_array()) conditions = Json::array();
    Json made = {{"type", type}, {"status", status ? "True" : "False"}, {"lastTransitionTime", now}, {"reason", reason}, {"message", message}};
    for (Json& condition : conditions) {
        if (string_at(condition, {"type"}) != type) continue;
        const bool same = string_at(condition, {"status"}) == string_at(made, {"status"});
        if (const Json* since = find(condition, "lastTransitionTime"); same && since != nullptr) made["lastTransitionTime"] = *since;
        condition = std::move(made);
        return;
    }
    conditions.push_back(std::move(made));
}

extern const KindRules custom_resource_definition_rules;
const KindRules custom_resource_definition_rules = {
    .set_defaults = default_definition,
    .prepare_for_create = prepare_new_definition,
    .prepare_for_update = prepare_changed_definition,
    .validate = validate,
    .validate_update = validate_update,
    .validate_status_update = validate_status_update,
    .validates_updates_apart = true,
    .warnings = warnings,
    .mark_deletion = mark_definition_deleted,
};

}  // namespace kubemu::api::kinds
