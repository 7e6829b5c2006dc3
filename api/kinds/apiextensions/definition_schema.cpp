// What the schema of a CustomResourceDefinition's version may say, beyond being structural.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "api/cel/rules.h"
#include "api/kinds/apiextensions/definition.h"
#include "api/schema/validate_schema.h"
#include "api/values/go_print.h"
#include "api/values/text.h"

namespace kubemu::api::kinds {
namespace {

using structural::Property;
using structural::Schema;
using structural::ValidationRule;

const std::vector<std::string> openapi_types = {"array", "boolean", "integer", "number", "object", "string"};

// A []string by %#v.
std::string go_strings(const std::vector<std::string>& list) {
    std::string text = "[]string{";
    for (const std::string& item : list) text += (text.back() == '{' ? "" : ", ") + go_quote(item);
    return text + "}";
}

// Keywords that say something at the root of a schema whose status is validated apart.
constexpr std::string_view allowed_at_root =
    "[Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems "
    "MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations]";

bool says_more_at_root(const Schema& s) {
    return s.has_id || s.has_schema_url || s.has_ref || s.nullable || s.default_value || !s.enum_values.empty() ||
           s.max_properties || s.min_properties || !s.all_of.empty() || !s.one_of.empty() || !s.any_of.empty() || s.not_of ||
           s.has_additional() || !s.pattern_properties.empty() || s.has_dependencies || s.has_additional_items ||
           !s.definitions.empty() || s.embedded_resource || s.int_or_string || !s.list_map_keys.empty() || s.list_type ||
           s.map_type;
}

// Where the walk is, as far as its rules depend on it.
struct Place {
    bool root = false;
    bool inside_meta = false;        // within kind, apiVersion or metadata of a resource
    bool allow_defaults = true;
    std::string no_defaults_reason;  // " in top-level metadata"

    Place without_defaults(std::string reason) const {
        Place place = *this;
        place.root = false;
        place.allow_defaults = false;
        place.no_defaults_reason = std::move(reason);
        return place;
    }
    Place below() const {
        Place place = *this;
        place.root = false;
        return place;
    }
};

class SchemaWalk {
  public:
    explicit SchemaWalk(FieldErrors& errors) : errors_(errors) {}

    void node(const Schema& schema, const FieldPath& path, const Place& place) {
        keywords(schema, path, place);
        if (schema.unique_items) {
            errors_.forbidden(path.child("uniqueItems"),
                              "uniqueItems cannot be set to true since the runtime complexity becomes quadratic");
        }
        if (schema.has_additional()) additional(schema, path, place);
        for (const Property& property : schema.properties) {
            Place inner = place.below();
            const bool meta = property.name == "metadata" || property.name == "kind" || property.name == "apiVersion";
            if (meta && (place.root || schema.embedded_resource)) {
                inner.inside_meta = true;
                if (place.root) inner = inner.without_defaults(" in top-level " + property.name);
            }
            node(property.schema, path.child("properties").key(property.name), inner);
        }
        const Place inner = place.below();
        if (schema.not_of) node(*schema.not_of, path.child("not"), inner);
        for (const auto& [group, name] : {std::pair{&schema.all_of, "allOf"}, std::pair{&schema.one_of, "oneOf"}, std::pair{&schema.any_of, "anyOf"}}) {
            for (std::size_t i = 0; i < group->size(); ++i) node((*group)[i], path.child(name).index(i), inner);
        }
        for (const Property& definition : schema.definitions) node(definition.schema, path.child("definitions").key(definition.name), inner);
        if (schema.items) node(*schema.items, path.child("items"), inner);
        types_of_containers(schema, path);
        list_maps(schema, path);
        items_of_sets_and_maps(schema, path);
        rules(schema, path);
    }

  private:
    void keywords(const Schema& schema, const FieldPath& path, const Place& place) {
        if (!schema.type.empty() && std::find(openapi_types.begin(), openapi_types.end(), schema.type) == openapi_types.end()) {
            errors_.not_supported(path.child("type"), schema.type, openapi_types);
        }
        const auto forbid = [&](bool holds, const char* keyword, const std::string& why) {
            if (holds) errors_.forbidden(path.child(keyword), why);
        };
        forbid(schema.default_value != nullptr && !place.allow_defaults, "default", "must not be set" + place.no_defaults_reason);
        forbid(schema.has_id, "id", "id is not supported");
        forbid(schema.has_additional_items, "additionalItems", "additionalItems is not supported");
        forbid(!schema.pattern_properties.empty(), "patternProperties", "patternProperties is not supported");
        forbid(!schema.definitions.empty(), "definitions", "definitions is not supported");
        forbid(schema.has_dependencies, "dependencies", "dependencies is not supported");
        forbid(schema.has_ref, "$ref", "$ref is not supported");
        forbid(schema.type == "null", "type", "type cannot be set to null, use nullable as an alternative");
        forbid(schema.items_are_a_list, "items", "items must be a schema object and not an array");
        forbid(place.inside_meta && schema.embedded_resource, "x-kubernetes-embedded-resource", "must not be used inside of resource meta");
        if (schema.preserve_unknown_fields && !*schema.preserve_unknown_fields) {
            errors_.invalid(path.child("x-kubernetes-preserve-unknown-fields"), false, "must be true or undefined");
        }
    }

    void additional(const Schema& schema, const FieldPath& path, const Place& place) {
        const bool allows_anything = schema.additional_allowed.value_or(false) && !schema.additional_properties;
        if (!schema.properties.empty() && !allows_anything) {
            errors_.forbidden(path.child("additionalProperties"), "additionalProperties and properties are mutual exclusive");
        }
        if (!schema.additional_properties) return;
        node(*schema.additional_properties, path.child("additionalProperties"),
             place.inside_meta ? place.without_defaults(" inside additionalProperties applying to object metadata") : place.below());
    }

    void wants_type(const Schema& schema, const FieldPath& path, const char* type, const char* keyword) {
        const std::string what = "must be " + std::string(type) + " if " + keyword + " is specified";
        if (schema.type.empty()) errors_.required(path.child("type"), what);
        else errors_.invalid(path.child("type"), schema.type, what);
    }

    void types_of_containers(const Schema& schema, const FieldPath& path) {
        if (schema.map_type && schema.type != "object") wants_type(schema, path, "object", "x-kubernetes-map-type");
        if (schema.map_type && *schema.map_type != "atomic" && *schema.map_type != "granular") {
            errors_.not_supported(path.child("x-kubernetes-map-type"), *schema.map_type, {"atomic", "granular"});
        }
        if (schema.list_type && schema.type != "array") {
            wants_type(schema, path, "array", "x-kubernetes-list-type");
        } else if (schema.list_type == "set" && schema.items) {
            const Schema& items = *schema.items;
            const std::string_view what = "must be atomic as item of a list with x-kubernetes-list-type=set";
            if (items.type == "array" && items.list_type && *items.list_type != "atomic") {
                errors_.invalid(path.child("items").child("x-kubernetes-list-type"), *items.list_type, what);
            } else if (items.type == "object" && items.map_type != "atomic") {
                errors_.invalid(path.child("items").child("x-kubernetes-map-type"), nullptr, what);
            }
        }
        if (schema.list_type && *schema.list_type != "atomic" && *schema.list_type != "set" && *schema.list_type != "map") {
            errors_.not_supported(path.child("x-kubernetes-list-type"), *schema.list_type, {"atomic", "set", "map"});
        }
        if (!schema.list_map_keys.empty() && schema.list_type != "map") {
            const char* what = "must be map if x-kubernetes-list-map-keys is non-empty";
            if (!schema.list_type) errors_.required(path.child("x-kubernetes-list-type"), what);
            else errors_.invalid(path.child("x-kubernetes-list-type"), *schema.list_type, what);
        }
    }

    void list_maps(const Schema& schema, const FieldPath& path) {
        if (schema.list_type != "map") return;
        const FieldPath keys = path.child("x-kubernetes-list-map-keys");
        if (schema.list_map_keys.empty()) errors_.required(keys, "must not be empty if x-kubernetes-list-type is map");
        if (!schema.items) {
            if (!schema.items_are_a_list) errors_.required(path.child("items"), "must have a schema if x-kubernetes-list-type is map");
            return;
        }
        if (schema.items->type != "object") {
            errors_.invalid(path.child("items").child("type"), schema.items->type,
                            "must be object if parent array's x-kubernetes-list-type is map");
            return;
        }
        std::set<std::string> seen;
        for (const std::string& key : schema.list_map_keys) {
            const Schema* own = schema.items->property(key);
            if (own == nullptr) {
                errors_.invalid(keys, GoText{go_strings(schema.list_map_keys)}, "entries must all be names of item properties");
            } else if (own->type == "array" || own->type == "object") {
                errors_.invalid(path.child("items").child("properties").key(key).child("type"), schema.items->type,
                                "must be a scalar type if parent array's x-kubernetes-list-type is map");
            }
            if (!seen.insert(key).second) errors_.invalid(keys, GoText{go_strings(schema.list_map_keys)}, "must not contain duplicate entries");
        }
    }

    void items_of_sets_and_maps(const Schema& schema, const FieldPath& path) {
        if (!schema.items || (schema.list_type != "set" && schema.list_type != "map")) return;
        if (schema.items->nullable) {
            errors_.forbidden(path.child("items").child("nullable"), "cannot be nullable when x-kubernetes-list-type is " + *schema.list_type);
        }
        if (schema.list_type != "map") return;
        const std::vector<std::string>& required = schema.items->required;
        for (const std::string& key : schema.list_map_keys) {
            const Schema* own = schema.items->property(key);
            if (own == nullptr) continue;
            const FieldPath at = path.child("items").child("properties").key(key);
            if (std::find(required.begin(), required.end(), key) == required.end() && own->default_value == nullptr) {
                errors_.required(at.child("default"),
                                 "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property");
            }
            if (own->nullable) {
                errors_.forbidden(at.child("nullable"), "this property is in x-kubernetes-list-map-keys, so it cannot be nullable");
            }
        }
    }

    // The form of rules; what they mean is the compiler's business.
    void rules(const Schema& schema, const FieldPath& path) {
        const auto has_newline = [](std::string_view text) { return text.find_first_of("\n\r") != std::string_view::npos; };
        for (std::size_t i = 0; i < schema.validations.size(); ++i) {
            const ValidationRule& rule = schema.validations[i];
            const FieldPath at = path.child("x-kubernetes-validations").index(i);
            const std::string_view text = trim(rule.rule), message = trim(rule.message);
            if (text.empty()) {
                errors_.required(at.child("rule"), "rule is not specified");
            } else if (!rule.message.empty() && message.empty()) {
                errors_.invalid(at.child("message"), rule.message, "must be non-empty if specified");
            } else if (has_newline(message)) {
                errors_.invalid(at.child("message"), rule.message, "must not contain line breaks");
            } else if (has_newline(text) && message.empty()) {
                errors_.required(at.child("message"), "message must be specified if rule contains line breaks");
            }
            if (!rule.message_expression.empty() && trim(rule.message_expression).empty()) {
                errors_.required(at.child("messageExpression"), "messageExpression must be non-empty if specified");
            }
            static const std::vector<std::string> reasons = {"FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid",
                                                             "FieldValueRequired"};
            if (rule.reason && std::find(reasons.begin(), reasons.end(), *rule.reason) == reasons.end()) {
                errors_.not_supported(at.child("reason"), *rule.reason, reasons);
            }
            if (rule.field_path.empty()) continue;
            const FieldPath field = at.child("fieldPath");
            if (trim(rule.field_path).empty()) errors_.invalid(field, rule.field_path, "must be non-empty if specified");
            if (has_newline(rule.field_path)) errors_.invalid(field, rule.field_path, "must not contain line breaks");
            std::vector<std::string> steps;
            std::string error;
            schema_at_path(schema, rule.field_path, true, steps, error);
            if (!error.empty() && why_never_structural(schema).empty()) {
                errors_.invalid(field, rule.field_path, "must be a valid path");
            }
        }
    }

    FieldErrors& errors_;
};

// The next token of a path: a delimiter, a quoted name with its quotes, or a name. False at the end.
bool next_token(std::string_view& rest, std::string& token) {
    if (rest.empty()) return false;
    std::size_t length = 1;
    if (rest[0] == '\'') {
        while (length < rest.size() && (rest[length] != '\'' || rest[length - 1] == '\\')) ++length;
        length = std::min(length + 1, rest.size());
    } else if (rest[0] != '.' && rest[0] != '[' && rest[0] != ']') {
        length = std::min(rest.find_first_of(".[]"), rest.size());
    }
    token = rest.substr(0, length);
    rest.remove_prefix(length);
    return true;
}

// What keeps this node from being part of a structural schema; null: nothing.
const char* unsupported(const Schema& node) {
    if (node.has_id) return "OpenAPIV3Schema 'id' is not supported";
    if (node.has_schema_url) return "OpenAPIV3Schema 'schema' is not supported";
    if (node.says_ref) return "OpenAPIV3Schema '$ref' is not supported";
    if (!node.pattern_properties.empty()) return "OpenAPIV3Schema 'patternProperties' is not supported";
    if (node.says_dependencies) return "OpenAPIV3Schema 'dependencies' is not supported";
    if (node.has_additional_items) return "OpenAPIV3Schema 'additionalItems' is not supported";
    if (!node.definitions.empty()) return "OpenAPIV3Schema 'definitions' is not supported";
    if (node.preserve_unknown_fields && !*node.preserve_unknown_fields) {
        return "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined";
    }
    if (node.items_are_a_list) return "OpenAPIV3Schema 'items' must be a schema, but is an array";
    return nullptr;
}

}  // namespace

std::string why_never_structural(const Schema& schema) {
    std::string why;
    structural::any_schema(schema, [&why](const Schema& node) {
        const char* found = unsupported(node);
        if (found != nullptr) why = found;
        return found != nullptr;
    });
    return why;
}

const Schema* schema_at_path(const Schema& schema, std::string_view path, bool allow_brackets, std::vector<std::string>& steps,
                             std::string& error) {
    const Schema* at = &schema;
    const auto enter = [&](const std::string& name) {
        steps.push_back(name);
        if (!at->properties.empty()) at = at->property(name);
        else at = at->additional_properties.get();
        if (at == nullptr) error = "does not refer to a valid field";
        return at != nullptr;
    };
    std::string token;
    for (std::string_view rest = path; next_token(rest, token);) {
        if (token == ".") {
            if (!next_token(rest, token)) error = "unexpected end of JSON path";
            else enter(token);
        } else if (token == "[") {
            if (!allow_brackets) error = "array notation is not allowed";
            else if (!next_token(rest, token)) error = "unexpected end of JSON path";
            else if (token.size() < 2 || token.front() != '\'' || token.back() != '\'') error = "expected single quoted string but got " + token;
            else if (enter(token.substr(1, token.size() - 2))) {
                if (!next_token(rest, token)) error = "unexpected end of JSON path";
                else if (token != "]") error = "expected ] but got " + token;
            }
        } else {
            error = "expected [ or . but got: " + token;
        }
        if (!error.empty()) return nullptr;
    }
    return at;
}

void validate_definition_schema(const Schema& schema, bool has_status, const FieldPath& path, FieldErrors& errors) {
    FieldErrors found;
    if (has_status && !schema.type.empty() && schema.type != "object") {
        found.invalid(path.child("type"), schema.type,
                      "only \"object\" is allowed as the type at the root of the schema if the status subresource is enabled");
    } else if (has_status && says_more_at_root(schema)) {
        found.invalid(path, GoText{"apiextensions.JSONSchemaProps{}"},
                         "only " + std::string(allowed_at_root) +
                             " fields are allowed at the root of the schema if the status subresource is enabled");
    }
    if (schema.nullable) found.forbidden(path.child("nullable"), "nullable cannot be true at the root");
    const std::string never = why_never_structural(schema);
    if (never.empty()) {
        const std::size_t before = found.all().size();
        structural::validate_structural(schema, path, found);
        if (found.all().size() == before) validate_schema_defaults(schema, path, found);
    }
    Place root;
    root.root = true;
    SchemaWalk(found).node(schema, path, root);
    if (found.empty() && never.empty()) cel::check_rules(schema, path, found);
    // Most of it has been complained of by name.
    if (found.empty() && !never.empty()) found.invalid(path, "", never);
    for (const FieldError& error : found.all()) errors.add(error);
}

}  // namespace kubemu::api::kinds
