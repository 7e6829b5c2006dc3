// Parts of the rules of CustomResourceDefinitions (k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation).
#pragma once

#include <string>
#include <vector>

#include "api/kinds/rules.h"
#include "api/schema/structural.h"
#include "api/values/field_errors.h"
#include "api/values/object.h"

namespace kubemu::api::kinds {

// Everything about spec and status, in the form of v1; `old` is null for a new definition. `v1beta1`: it was sent in that
// version, which lets fields be kept that no schema knows.
void validate_definition(const Json& definition, const Json* old, FieldErrors& errors, bool v1beta1 = false);
void validate_definition_status(const Json& definition, FieldErrors& errors);

// Hooks that both versions have in common.
void default_definition(Json& definition, const HookContext& context);
void prepare_new_definition(Json& definition, const HookContext& context);
void prepare_changed_definition(Json& definition, const Json& old, const HookContext& context);
void mark_definition_deleted(Json& definition, const HookContext& context);

// One version's schema; `path` is that of openAPIV3Schema. `has_status`: the status subresource is enabled.
void validate_definition_schema(const structural::Schema& schema, bool has_status, const FieldPath& path, FieldErrors& errors);

// Defaults fit their schemas, and hold nothing that would be pruned.
void validate_schema_defaults(const structural::Schema& schema, const FieldPath& path, FieldErrors& errors);

// What keeps a schema from being read as a structural one, in apiextensions-apiserver's words; empty: nothing. All that
// asks for a structural schema (its structure, defaults, rules) is not looked at then.
std::string why_never_structural(const structural::Schema& schema);

// What a selectable field or a rule's fieldPath leads to: ".spec.a['b']". Null when it leads nowhere; `error` says why.
// `normal` receives the path as fields, without brackets.
const structural::Schema* schema_at_path(const structural::Schema& schema, std::string_view path, bool allow_brackets,
                                         std::vector<std::string>& steps, std::string& error);

// spec.versions as Go prints the internal type: fields that all versions share are not shown.
std::string go_versions(const Json& definition);

// Set or replaced by type; lastTransitionTime follows the status (apihelpers.SetCRDCondition).
void set_condition(Json& definition, std::string_view type, bool status, std::string_view reason, std::string_view message,
                   std::string_view now);
const Json* find_condition(const Json& definition, std::string_view type);

}  // namespace kubemu::api::kinds
