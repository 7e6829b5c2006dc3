// apiextensions.k8s.io/v1beta1 CustomResourceDefinition: the stored definition with parts that all versions share beside
// the versions, and with fields that no schema knows kept unless it says otherwise
// (k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1beta1: conversion.go, defaults.go).
#include <nlohmann/json.hpp>

#include "api/kinds/apiextensions/definition.h"
#include "api/kinds/rules.h"

namespace kubemu::api::kinds {
namespace {

struct SharedPart {
    const char *shared, *own;  // beside the versions, in a version
};
constexpr SharedPart shared_parts[] = {{"validation", "schema"},
                                       {"subresources", "subresources"},
                                       {"additionalPrinterColumns", "additionalPrinterColumns"}};

void rename_paths(Json* columns, const char* from, const char* to) {
    if (columns == nullptr || !columns->is_array()) return;
    for (Json& column : *columns) {
        if (!column.is_object()) continue;
        const Json* path = find(column, from);
        if (path == nullptr) continue;
        column[to] = Json(*path);
        erase(column, from);
    }
}

Json* versions_of(Json& spec) {
    Json* versions = find(spec, "versions");
    return versions == nullptr || !versions->is_array() ? nullptr : versions;
}

void conversion_to_storage(Json& conversion) {
    Json webhook = Json::object();
    if (const Json* config = find(conversion, "webhookClientConfig")) webhook["clientConfig"] = *config;
    if (const Json* names = find(conversion, "conversionReviewVersions")) webhook["conversionReviewVersions"] = *names;
    erase(conversion, "webhookClientConfig");
    erase(conversion, "conversionReviewVersions");
    if (!webhook.empty()) conversion["webhook"] = std::move(webhook);
}

void conversion_from_storage(Json& conversion) {
    const Json webhook = object_at(conversion, {"webhook"});
    erase(conversion, "webhook");
    if (const Json* config = find(webhook, "clientConfig")) conversion["webhookClientConfig"] = *config;
    if (const Json* names = find(webhook, "conversionReviewVersions")) conversion["conversionReviewVersions"] = *names;
}

void to_storage(Json& definition) {
    Json* spec = find(definition, "spec");
    if (spec == nullptr || !spec->is_object()) return;
    Json* versions = versions_of(*spec);
    for (const SharedPart& part : shared_parts) {
        const Json* found = find(*spec, part.shared);
        if (found == nullptr) continue;
        const Json value = *found;
        erase(*spec, part.shared);
        if (versions == nullptr) continue;
        for (Json& version : *versions) version[part.own] = value;
    }
    erase(*spec, "version");
    if (!bool_at(*spec, {"preserveUnknownFields"})) erase(*spec, "preserveUnknownFields");
    if (versions != nullptr) {
        for (Json& version : *versions) rename_paths(find(version, "additionalPrinterColumns"), "JSONPath", "jsonPath");
    }
    if (Json* conversion = find(*spec, "conversion")) conversion_to_storage(*conversion);
}

// What all versions say alike stands once, beside them.
void share(Json& spec, Json& versions, const SharedPart& part) {
    const Json* first = find(versions[0], part.own);
    if (first == nullptr) return;
    const Json value = *first;
    for (const Json& version : versions) {
        const Json* other = find(version, part.own);
        if (other == nullptr || *other != value) return;
    }
    for (Json& version : versions) erase(version, part.own);
    spec[part.shared] = value;
}

void from_storage(Json& definition) {
    Json* spec = find(definition, "spec");
    if (spec == nullptr || !spec->is_object()) return;
    if (Json* versions = versions_of(*spec); versions != nullptr && !versions->empty()) {
        for (Json& version : *versions) {
            rename_paths(find(version, "additionalPrinterColumns"), "jsonPath", "JSONPath");
            erase(version, "selectableFields");
        }
        for (const SharedPart& part : shared_parts) share(*spec, *versions, part);
        (*spec)["version"] = std::string(string_at((*versions)[0], {"name"}));
    }
    if (find(*spec, "preserveUnknownFields") == nullptr) (*spec)["preserveUnknownFields"] = false;
    if (Json* conversion = find(*spec, "conversion")) conversion_from_storage(*conversion);
}

void set_defaults(Json& definition, const HookContext& context) {
    Json& spec = ensure(definition, {"spec"});
    if (string_at(spec, {"scope"}).empty()) spec["scope"] = "Namespaced";
    const std::string version(string_at(spec, {"version"}));
    if (array_at(spec, {"versions"}).empty() && !version.empty()) {
        spec["versions"] = Json::array({{{"name", version}, {"served", true}, {"storage", true}}});
    } else if (version.empty() && !array_at(spec, {"versions"}).empty()) {
        spec["version"] = std::string(string_at(spec["versions"][0], {"name"}));
    }
    if (find(spec, "preserveUnknownFields") == nullptr) spec["preserveUnknownFields"] = true;
    if (string_at(spec, {"conversion", "strategy"}) == "Webhook" &&
        array_at(spec, {"conversion", "conversionReviewVersions"}).empty()) {
        spec["conversion"]["conversionReviewVersions"] = Json::array({"v1beta1"});
    }
    default_definition(definition, context);
}

// What only this version can say, and its contradictions.
void validate_form(const Json& definition, FieldErrors& errors) {
    const Json& spec = object_at(definition, {"spec"});
    const Json& versions = array_at(spec, {"versions"});
    const FieldPath path("spec");
    if (!versions.empty() && string_at(spec, {"version"}) != string_at(versions[0], {"name"})) {
        errors.invalid(path.child("version"), std::string(string_at(spec, {"version"})),
                       "must match the first version in spec.versions");
    }
    constexpr std::pair<SharedPart, const char*> words[] = {{shared_parts[0], "schemas"},
                                                            {shared_parts[1], "subresources"},
                                                            {shared_parts[2], "additionalPrinterColumns"}};
    for (const auto& [part, word] : words) {
        if (find(spec, part.shared) == nullptr) continue;
        for (const Json& version : versions) {
            if (find(version, part.own) == nullptr) continue;
            errors.forbidden(path.child(part.shared), std::string("top-level and per-version ") + word + " are mutually exclusive");
            break;
        }
    }
}

void check(const Json& definition, const Json* old, FieldErrors& errors) {
    Json stored = definition, before = old == nullptr ? Json() : *old;
    to_storage(stored);
    if (old != nullptr) to_storage(before);
    validate_form(definition, errors);
    validate_definition(stored, old == nullptr ? nullptr : &before, errors, true);
}

void validate(const Json& definition, const HookContext&, FieldErrors& errors) {
    check(definition, nullptr, errors);
}

void validate_update(const Json& definition, const Json& old, const HookContext&, FieldErrors& errors) {
    check(definition, &old, errors);
}

}  // namespace

extern const KindRules custom_resource_definition_v1beta1_rules;
const KindRules custom_resource_definition_v1beta1_rules = {
    .set_defaults = set_defaults,
    .prepare_for_create = prepare_new_definition,
    .prepare_for_update = prepare_changed_definition,
    .validate = validate,
    .validate_update = validate_update,
    .validates_updates_apart = true,
    .mark_deletion = mark_definition_deleted,
    .to_storage = to_storage,
    .from_storage = from_storage,
};

}  // namespace kubemu::api::kinds
