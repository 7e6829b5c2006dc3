// Defaults in schemas must be what pruning would leave and validation would accept
// (k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting/validation.go).
#include <nlohmann/json.hpp>

#include "api/cel/rules.h"
#include "api/kinds/apiextensions/custom_metadata.h"
#include "api/kinds/apiextensions/definition.h"
#include "api/schema/prune.h"
#include "api/schema/validate_schema.h"
#include "api/values/go_print.h"

namespace kubemu::api::kinds {
namespace {

using structural::Schema;

void check_default(const Schema& schema, const FieldPath& path, bool resource, bool inside_meta, FieldErrors& errors) {
    const FieldPath at = path.child("default");
    Json value = *schema.default_value;
    if (!inside_meta && !structural::prune(value, schema, resource).empty()) {
        errors.invalid(at, GoText{go_bad_value(*schema.default_value)}, "must not have unknown fields");
    }
    FieldErrors found;
    if (!inside_meta) validate_embedded_resources(*schema.default_value, schema, at, found, resource);
    if (found.empty()) structural::validate_value(*schema.default_value, schema, at, found);
    if (found.empty()) cel::validate_rules(*schema.default_value, schema.default_value.get(), schema, at, found);
    for (const FieldError& error : found.all()) errors.add(error);
}

void walk(const Schema& schema, const FieldPath& path, bool root, bool inside_meta, FieldErrors& errors) {
    const bool resource = root || schema.embedded_resource;
    if (resource) inside_meta = false;
    if (schema.default_value != nullptr) check_default(schema, path, resource, inside_meta, errors);
    // Defaults below additionalProperties are not looked at: they have no place to be checked at.
    if (schema.items) walk(*schema.items, path.child("items"), false, inside_meta, errors);
    for (const structural::Property& property : schema.properties) {
        const bool meta = property.name == "metadata" || property.name == "apiVersion" || property.name == "kind";
        walk(property.schema, path.child("properties").key(property.name), false, inside_meta || (resource && meta), errors);
    }
}

}  // namespace

void validate_schema_defaults(const Schema& schema, const FieldPath& path, FieldErrors& errors) {
    walk(schema, path, true, false, errors);
}

}  // namespace kubemu::api::kinds
