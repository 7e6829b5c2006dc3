// Schema: one node of the OpenAPI v3 schema of a CustomResourceDefinition, parsed once.
//
// The counterpart of FieldInfo for kinds that are not known before run time: it can nest lists in lists and maps in
// maps. Pruning, defaulting, validation, server-side apply and CEL all walk it
// (k8s.io/apiextensions-apiserver/pkg/apis/apiextensions, JSONSchemaProps).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/values/field_errors.h"
#include "api/values/object.h"
#include "api/values/regex.h"

namespace kubemu::api::cel {
class Rules;
}

namespace kubemu::api::structural {

struct Property;

// One entry of x-kubernetes-validations.
struct ValidationRule {
    std::string rule, message, message_expression, field_path;
    std::optional<std::string> reason;
    std::optional<bool> optional_old_self;
};

struct Schema {
    std::string type, format, title, description, pattern;
    std::shared_ptr<const Regex> regex;  // of `pattern`; null without one
    std::optional<double> minimum, maximum, multiple_of;
    std::optional<std::int64_t> min_length, max_length, min_items, max_items, min_properties, max_properties;
    bool exclusive_minimum = false, exclusive_maximum = false, unique_items = false, nullable = false;
    std::shared_ptr<const Json> default_value;  // null without one
    std::vector<Json> enum_values;              // empty without an enum
    std::vector<std::string> required;
    std::vector<Property> properties;  // by name
    std::unique_ptr<Schema> items, additional_properties, not_of;
    // additionalProperties as a boolean; nothing when it is absent or a schema.
    std::optional<bool> additional_allowed;
    std::vector<Schema> all_of, any_of, one_of;

    std::optional<bool> preserve_unknown_fields;
    bool embedded_resource = false, int_or_string = false;
    std::vector<std::string> list_map_keys;
    std::optional<std::string> list_type, map_type;
    std::vector<ValidationRule> validations;
    std::shared_ptr<const cel::Rules> rules;  // `validations` compiled; null without any
    bool rules_within = false;  // it, or a schema below it, has rules

    // Keywords that no CustomResourceDefinition may use, and how items were written.
    bool has_id = false, has_ref = false, has_additional_items = false, has_dependencies = false;
    bool says_ref = false, says_dependencies = false;  // and something is in them
    bool items_are_a_list = false;
    bool has_external_docs = false, has_example = false, has_schema_url = false;
    std::vector<Property> definitions, pattern_properties;

    Schema();
    Schema(Schema&&) noexcept;
    Schema& operator=(Schema&&) noexcept;
    ~Schema();

    // Null when there is none of this name.
    const Schema* property(std::string_view name) const;
    // What describes a member of this name: its property, else additionalProperties; null when nothing does.
    const Schema* member(std::string_view name) const;
    bool preserves_unknown() const { return preserve_unknown_fields.value_or(false); }
    bool has_additional() const { return additional_properties != nullptr || additional_allowed.has_value(); }
    std::string_view list_type_or_atomic() const { return list_type ? std::string_view(*list_type) : "atomic"; }
};

struct Property {
    std::string name;
    Schema schema;
};

// The schema of a JSONSchemaProps document. `error`, when given, receives what is wrong with its form; a member of a
// wrong type counts as absent.
Schema parse_schema(const Json& props, std::string* error = nullptr);

// Whether `holds` says so of the schema or of any below it.
bool any_schema(const Schema& schema, const std::function<bool(const Schema&)>& holds);

// The rules of structural schemas (pkg/apiserver/schema.ValidateStructural), sorted as the real server sorts them.
void validate_structural(const Schema& schema, const FieldPath& path, FieldErrors& errors);

// Formats that string, integer and number values of custom resources are checked against; others are ignored.
bool known_format(const Schema& schema);

}  // namespace kubemu::api::structural
