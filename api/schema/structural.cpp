// Reading the schemas of CustomResourceDefinitions.
#include "api/schema/structural.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

namespace kubemu::api::structural {
namespace {

class Parser {
  public:
    explicit Parser(std::string* error) : error_(error) {}

    Schema parse(const Json& props) {
        Schema schema;
        if (!props.is_object()) {
            wrong(props, "JSONSchemaProps", "");
            return schema;
        }
        for (const auto& [name, value] : props.items()) {
            if (!value.is_null()) member(schema, name, value);
        }
        return schema;
    }

  private:
    using Text = std::string Schema::*;
    using Number = std::optional<double> Schema::*;
    using Count = std::optional<std::int64_t> Schema::*;
    using Flag = bool Schema::*;

    void member(Schema& schema, const std::string& name, const Json& value) {
        static const std::map<std::string_view, Text> texts = {{"type", &Schema::type},
                                                               {"format", &Schema::format},
                                                               {"title", &Schema::title},
                                                               {"description", &Schema::description},
                                                               {"pattern", &Schema::pattern}};
        static const std::map<std::string_view, Number> numbers = {
            {"minimum", &Schema::minimum}, {"maximum", &Schema::maximum}, {"multipleOf", &Schema::multiple_of}};
        static const std::map<std::string_view, Count> counts = {
            {"minLength", &Schema::min_length}, {"maxLength", &Schema::max_length},
            {"minItems", &Schema::min_items},   {"maxItems", &Schema::max_items},
            {"minProperties", &Schema::min_properties}, {"maxProperties", &Schema::max_properties}};
        static const std::map<std::string_view, Flag> flags = {
            {"exclusiveMinimum", &Schema::exclusive_minimum},
            {"exclusiveMaximum", &Schema::exclusive_maximum},
            {"uniqueItems", &Schema::unique_items},
            {"nullable", &Schema::nullable},
            {"x-kubernetes-embedded-resource", &Schema::embedded_resource},
            {"x-kubernetes-int-or-string", &Schema::int_or_string}};
        if (const auto at = texts.find(name); at != texts.end()) {
            if (text(value, name)) schema.*at->second = value.get<std::string>();
            if (name == "pattern" && !schema.pattern.empty()) schema.regex = compiled_regex(schema.pattern);
        } else if (const auto at = numbers.find(name); at != numbers.end()) {
            if (value.is_number()) schema.*at->second = value.get<double>();
            else wrong(value, "float64", name);
        } else if (const auto at = counts.find(name); at != counts.end()) {
            if (value.is_number_integer()) schema.*at->second = value.get<std::int64_t>();
            else wrong(value, "int64", name);
        } else if (const auto at = flags.find(name); at != flags.end()) {
            if (flag(value, name)) schema.*at->second = value.get<bool>();
        } else if (!container(schema, name, value)) {
            extension(schema, name, value);
        }
    }

    bool container(Schema& schema, const std::string& name, const Json& value) {
        if (name == "properties") schema.properties = named(value, name);
        else if (name == "definitions") schema.definitions = named(value, name);
        else if (name == "patternProperties") schema.pattern_properties = named(value, name);
        else if (name == "allOf") schema.all_of = list(value, name);
        else if (name == "anyOf") schema.any_of = list(value, name);
        else if (name == "oneOf") schema.one_of = list(value, name);
        else if (name == "not") schema.not_of = std::make_unique<Schema>(parse(value));
        else if (name == "required") schema.required = texts(value, name);
        else if (name == "items") items(schema, value);
        else if (name == "additionalProperties") additional(schema, value);
        else return false;
        return true;
    }

    void extension(Schema& schema, const std::string& name, const Json& value) {
        if (name == "default") schema.default_value = std::make_shared<const Json>(value);
        else if (name == "enum" && value.is_array()) schema.enum_values.assign(value.begin(), value.end());
        else if (name == "x-kubernetes-preserve-unknown-fields") {
            if (flag(value, name)) schema.preserve_unknown_fields = value.get<bool>();
        } else if (name == "x-kubernetes-list-map-keys") schema.list_map_keys = texts(value, name);
        else if (name == "x-kubernetes-list-type") {
            if (text(value, name)) schema.list_type = value.get<std::string>();
        } else if (name == "x-kubernetes-map-type") {
            if (text(value, name)) schema.map_type = value.get<std::string>();
        } else if (name == "x-kubernetes-validations") rules(schema, value);
        else if (name == "id") schema.has_id = value != "";
        else if (name == "$ref") schema.has_ref = true, schema.says_ref = value != "";
        else if (name == "$schema") schema.has_schema_url = value != "";
        else if (name == "additionalItems") schema.has_additional_items = true;
        else if (name == "dependencies") schema.has_dependencies = true, schema.says_dependencies = !value.empty();
        else if (name == "externalDocs") schema.has_external_docs = true;
        else if (name == "example") schema.has_example = true;
    }

    void items(Schema& schema, const Json& value) {
        if (value.is_array()) {
            schema.items_are_a_list = !value.empty();
            return;
        }
        schema.items = std::make_unique<Schema>(parse(value));
    }

    void additional(Schema& schema, const Json& value) {
        if (value.is_boolean()) schema.additional_allowed = value.get<bool>();
        else if (value.is_object()) schema.additional_properties = std::make_unique<Schema>(parse(value));
        else wrong(value, "JSONSchemaPropsOrBool", "additionalProperties");
    }

    std::vector<Property> named(const Json& value, const std::string& name) {
        std::vector<Property> out;
        if (!value.is_object()) {
            wrong(value, "map[string]v1.JSONSchemaProps", name);
            return out;
        }
        out.reserve(value.size());
        for (const auto& [key, props] : value.items()) out.push_back({key, parse(props)});
        return out;
    }

    std::vector<Schema> list(const Json& value, const std::string& name) {
        std::vector<Schema> out;
        if (!value.is_array()) {
            wrong(value, "[]v1.JSONSchemaProps", name);
            return out;
        }
        for (const Json& props : value) out.push_back(parse(props));
        return out;
    }

    std::vector<std::string> texts(const Json& value, const std::string& name) {
        std::vector<std::string> out;
        if (!value.is_array()) {
            wrong(value, "[]string", name);
            return out;
        }
        for (const Json& item : value) {
            if (text(item, name)) out.push_back(item.get<std::string>());
        }
        return out;
    }

    void rules(Schema& schema, const Json& value) {
        if (!value.is_array()) return wrong(value, "v1.ValidationRules", "x-kubernetes-validations");
        for (const Json& entry : value) {
            ValidationRule rule;
            rule.rule = string_at(entry, {"rule"});
            rule.message = string_at(entry, {"message"});
            rule.message_expression = string_at(entry, {"messageExpression"});
            rule.field_path = string_at(entry, {"fieldPath"});
            if (const Json* reason = find(entry, "reason"); reason != nullptr && reason->is_string()) {
                rule.reason = reason->get<std::string>();
            }
            if (const Json* optional = find(entry, "optionalOldSelf"); optional != nullptr && optional->is_boolean()) {
                rule.optional_old_self = optional->get<bool>();
            }
            schema.validations.push_back(std::move(rule));
        }
    }

    bool text(const Json& value, const std::string& name) {
        if (!value.is_string()) wrong(value, "string", name);
        return value.is_string();
    }
    bool flag(const Json& value, const std::string& name) {
        if (!value.is_boolean()) wrong(value, "bool", name);
        return value.is_boolean();
    }

    void wrong(const Json& value, std::string_view go_type, const std::string& name) {
        if (error_ == nullptr || !error_->empty()) return;
        const char* what = value.is_boolean() ? "bool" : value.type_name();
        *error_ = "json: cannot unmarshal " + std::string(what) + " into Go " +
                  (name.empty() ? std::string("value") : "struct field JSONSchemaProps." + name) + " of type " +
                  std::string(go_type);
    }

    std::string* error_;
};

}  // namespace

Schema::Schema() = default;
Schema::Schema(Schema&&) noexcept = default;
Schema& Schema::operator=(Schema&&) noexcept = default;
Schema::~Schema() = default;

const Schema* Schema::property(std::string_view name) const {
    const auto at = std::lower_bound(properties.begin(), properties.end(), name,
                                     [](const Property& property, std::string_view wanted) { return property.name < wanted; });
    return at != properties.end() && at->name == name ? &at->schema : nullptr;
}

const Schema* Schema::member(std::string_view name) const {
    const Schema* found = property(name);
    return found != nullptr ? found : additional_properties.get();
}

Schema parse_schema(const Json& props, std::string* error) { return Parser(error).parse(props); }

bool any_schema(const Schema& schema, const std::function<bool(const Schema&)>& holds) {
    if (holds(schema)) return true;
    const auto below = [&holds](const Schema* child) { return child != nullptr && any_schema(*child, holds); };
    if (below(schema.items.get()) || below(schema.additional_properties.get()) || below(schema.not_of.get())) return true;
    for (const auto* group : {&schema.all_of, &schema.any_of, &schema.one_of}) {
        for (const Schema& child : *group) {
            if (any_schema(child, holds)) return true;
        }
    }
    for (const auto* group : {&schema.properties, &schema.definitions, &schema.pattern_properties}) {
        for (const Property& child : *group) {
            if (any_schema(child.schema, holds)) return true;
        }
    }
    return false;
}

bool known_format(const Schema& schema) {
    if (schema.format.empty()) return true;
    if (schema.type.empty() || schema.type == "string") {
        static constexpr std::string_view known[] = {
            "bsonobjectid", "uri",   "email",  "hostname", "ipv4",  "ipv6",     "cidr",         "mac",
            "uuid",         "uuid3", "uuid4",  "uuid5",    "isbn",  "isbn10",   "isbn13",       "creditcard",
            "ssn",          "hexcolor", "rgbcolor", "byte", "password", "date", "duration", "datetime",
            "k8sshortname", "k8slongname"};
        std::string plain = schema.format;
        plain.erase(std::remove(plain.begin(), plain.end(), '-'), plain.end());
        return std::find(std::begin(known), std::end(known), plain) != std::end(known);
    }
    if (schema.type == "integer") return schema.format == "int32" || schema.format == "int64";
    if (schema.type == "number") return schema.format == "float" || schema.format == "double";
    return false;
}

}  // namespace kubemu::api::structural
