// Types made of schemas, and their sizes.
#include "api/cel/type.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/cel/value.h"

namespace kubemu::api::cel {
namespace {

constexpr std::int64_t request_bytes_max = 3 * 1024 * 1024;

TypePtr made(std::string name, std::vector<TypePtr> parameters = {}) {
    auto type = std::make_shared<Type>();
    type->name = std::move(name);
    type->parameters = std::move(parameters);
    return type;
}

bool is_required(const structural::Schema& schema, const std::string& name) {
    return std::find(schema.required.begin(), schema.required.end(), name) != schema.required.end();
}

}  // namespace

TypePtr simple_type(std::string_view name) { return made(std::string(name)); }
TypePtr any_type() {
    auto type = std::make_shared<Type>();
    type->name = "dyn";
    type->path = "any";
    return type;
}
TypePtr sized(const TypePtr& type, std::uint64_t elements_max) {
    auto made = std::make_shared<Type>(*type);
    made->elements_max = elements_max;
    return made;
}
TypePtr list_of(TypePtr item) { return made("list", {std::move(item)}); }
TypePtr map_of(TypePtr key, TypePtr value) { return made("map", {std::move(key), std::move(value)}); }
TypePtr optional_of(TypePtr inner) { return made("optional_type", {std::move(inner)}); }
TypePtr object_of(std::string name, TypeFields fields) {
    auto type = std::make_shared<Type>();
    type->name = "object";
    type->path = std::move(name);
    type->fields = std::make_shared<const TypeFields>(std::move(fields));
    return type;
}

std::string print_type(const Type& type) {
    if (type.is("object")) return type.path;
    if (type.is("timestamp")) return "timestamp";
    if (type.is("null_type")) return "null";
    if (type.is("error")) return "!error!";
    if (type.is("dyn") && type.path == "any") return "any";
    std::string text = type.name;
    for (std::size_t i = 0; i < type.parameters.size(); ++i) text += (i == 0 ? "(" : ", ") + print_type(*type.parameters[i]);
    return type.parameters.empty() ? text : text + ")";
}

std::string declared_name(const Type& type) {
    if (type.is("object")) return type.path;
    if (type.is("timestamp")) return "google.protobuf.Timestamp";
    if (type.is("duration")) return "google.protobuf.Duration";
    if (type.is("dyn") && type.path == "any") return "google.protobuf.Any";
    std::string text = type.name;
    for (std::size_t i = 0; i < type.parameters.size(); ++i) text += (i == 0 ? "(" : ", ") + declared_name(*type.parameters[i]);
    return type.parameters.empty() ? text : text + ")";
}

TypePtr type_of_schema(const structural::Schema& schema, bool resource, const std::string& path) {
    if (schema.int_or_string) return made("dyn");
    auto type = std::make_shared<Type>();
    type->schema = &schema;
    type->path = path;
    if (schema.type == "array") {
        if (!schema.items) return nullptr;
        TypePtr item = type_of_schema(*schema.items, schema.items->embedded_resource, path + ".@idx");
        if (item == nullptr) return nullptr;
        type->name = "list";
        type->parameters = {std::move(item)};
    } else if (schema.type == "object" && schema.additional_properties && !resource) {
        TypePtr value = type_of_schema(*schema.additional_properties, schema.additional_properties->embedded_resource, path + ".@elem");
        if (value == nullptr) return nullptr;
        type->name = "map";
        type->parameters = {made("string"), std::move(value)};
    } else if (schema.type == "object") {
        type->name = "object";
        type->resource = resource;
    } else if (schema.type == "string") {
        type->name = schema.format == "byte"                                     ? "bytes"
                     : schema.format == "duration"                               ? "duration"
                     : schema.format == "date" || schema.format == "date-time" ? "timestamp"
                                                                                 : "string";
    } else if (schema.type == "boolean") {
        type->name = "bool";
    } else if (schema.type == "number") {
        type->name = "double";
    } else if (schema.type == "integer") {
        type->name = "int";
    } else {
        return nullptr;
    }
    return type;
}

namespace {

// The names that are declared in the metadata of every resource.
const structural::Schema& metadata_schema() {
    static const structural::Schema schema = structural::parse_schema(
        Json{{"type", "object"}, {"properties", {{"name", {{"type", "string"}}}, {"generateName", {{"type", "string"}}}}}});
    return schema;
}

}  // namespace

TypePtr type_of_field(const Type& object, std::string_view name) {
    if (object.fields != nullptr) {
        const auto at = object.fields->find(name);
        return at == object.fields->end() ? nullptr : at->second;
    }
    // Of an object made in the expression nothing is known.
    if (object.schema == nullptr && !object.resource) return made("dyn");
    const std::string property = unescape_name(name);
    if (object.resource) {
        if (property == "kind" || property == "apiVersion") return made("string");
        if (property == "metadata") return type_of_schema(metadata_schema(), false, object.path + ".metadata");
    }
    const structural::Schema* own = object.schema == nullptr ? nullptr : object.schema->property(property);
    if (own == nullptr || escape_name(property) != name) return nullptr;
    return type_of_schema(*own, own->embedded_resource, object.path + "." + std::string(name));
}

std::int64_t min_bytes(const structural::Schema& schema) {
    if (schema.int_or_string) return 1;
    if (schema.type == "string") {
        return schema.format == "duration" ? 3 : schema.format == "date" ? 12 : schema.format == "date-time" ? 21 : 2;
    }
    if (schema.type == "boolean") return 4;
    if (schema.type != "object" || schema.additional_properties) return schema.type == "array" || schema.type == "object" ? 2 : 1;
    std::int64_t bytes = 2;
    for (const structural::Property& property : schema.properties) {
        if (!is_required(schema, property.name) || property.schema.default_value != nullptr) continue;
        bytes += static_cast<std::int64_t>(property.name.size()) + min_bytes(property.schema) + 4;
    }
    return bytes;
}

std::uint64_t max_size(const structural::Schema& schema) {
    const auto bound = [](std::int64_t value) { return static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0)); };
    if (schema.type == "array") {
        if (schema.max_items) return bound(*schema.max_items);
        return bound((request_bytes_max - 2) / ((schema.items ? min_bytes(*schema.items) : 1) + 1));
    }
    if (schema.type == "object" && schema.additional_properties) {
        if (schema.max_properties) return bound(*schema.max_properties);
        return bound((request_bytes_max - 2) / (min_bytes(*schema.additional_properties) + 6));
    }
    if (schema.int_or_string) return schema.max_length ? bound(*schema.max_length * 4) : bound(request_bytes_max - 2);
    if (schema.type != "string") return schema.type == "object" ? bound(static_cast<std::int64_t>(schema.properties.size())) : 1;
    if (schema.format == "duration") return 32;
    if (schema.format == "date") return 12;
    if (schema.format == "date-time") return 32;
    if (schema.format == "byte") return schema.max_length ? bound(*schema.max_length) : bound(request_bytes_max - 2);
    if (schema.max_length) return bound(*schema.max_length * 4);
    if (schema.enum_values.empty()) return bound(request_bytes_max - 2);
    std::size_t longest = 0;
    for (const Json& value : schema.enum_values) {
        if (value.is_string()) longest = std::max(longest, value.get_ref<const std::string&>().size());
    }
    return longest;
}

}  // namespace kubemu::api::cel
