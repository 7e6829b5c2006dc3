// Conversion of structural schemas; values are kept as they were written.
#include "api/documents/openapi_custom.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

namespace kubemu::api {
namespace {

constexpr const char* preserve = "x-kubernetes-preserve-unknown-fields";

bool is_true(const Json& schema, const char* member) {
    const auto found = schema.find(member);
    return found != schema.end() && found->is_boolean() && found->get<bool>();
}

Json* object_in(Json& schema, const char* member) {
    const auto found = schema.find(member);
    return found != schema.end() && found->is_object() ? &*found : nullptr;
}

// Runs `change` on the schema and all schemas of values below it; conditions on values (allOf, not...) are left alone.
template <class Change>
void for_each_schema(Json& schema, const Change& change) {
    change(schema);
    if (Json* properties = object_in(schema, "properties")) {
        for (Json& property : *properties) {
            if (property.is_object()) for_each_schema(property, change);
        }
    }
    for (const char* member : {"items", "additionalProperties"}) {
        if (Json* below = object_in(schema, member)) for_each_schema(*below, change);
    }
}

// x-kubernetes-int-or-string says in its own way what anyOf says to others.
void unfold_int_or_string(Json& schema) {
    if (!is_true(schema, "x-kubernetes-int-or-string")) return;
    const Json either = Json::array({{{"type", "integer"}}, {{"type", "string"}}});
    const auto all_of = schema.find("allOf");
    const bool in_all_of = all_of != schema.end() && all_of->is_array() && !all_of->empty() &&
                           (*all_of)[0].is_object() && (*all_of)[0].value("anyOf", Json()) == either;
    if (!schema.contains("anyOf")) {
        if (!in_all_of) schema["anyOf"] = either;
    } else if (schema["anyOf"] != either && !in_all_of) {
        if (!schema.contains("allOf")) schema["allOf"] = Json::array();
        schema["allOf"].insert(schema["allOf"].begin(), Json{{"anyOf", either}});
    }
}

void drop_required(Json& schema, const std::string& name) {
    const auto required = schema.find("required");
    if (required == schema.end() || !required->is_array()) return;
    Json kept = Json::array();
    for (const Json& item : *required) {
        if (item != name) kept.push_back(item);
    }
    if (kept.empty()) schema.erase("required");
    else *required = std::move(kept);
}

// Swagger 2.0 knows no conditions and no null, and old kubectls refuse what is known only in part.
void reduce_to_v2(Json& schema) {
    for (const char* member : {"allOf", "oneOf", "anyOf", "not", "default"}) schema.erase(member);
    if (Json* properties = object_in(schema, "properties")) {
        std::vector<std::string> nullable;
        for (const auto& [name, property] : properties->items()) {
            if (property.is_object() && is_true(property, "nullable")) nullable.push_back(name);
        }
        for (const std::string& name : nullable) drop_required(schema, name);
    }
    if (Json* values = object_in(schema, "additionalProperties"); values != nullptr && is_true(*values, "nullable"))
        schema.erase("required");
    const bool null = is_true(schema, "nullable"), unknown = is_true(schema, preserve);
    schema.erase("nullable");
    if (null || unknown) {
        schema.erase("items");
        schema.erase("properties");
    }
    const std::string type = std::string(string_at(schema, {"type"}));
    if (null || (type == "array" && !schema.contains("items")) || (unknown && type == "object")) schema.erase("type");
}

Json reference_to(OpenApiVersion version, std::string_view name, std::string_view description) {
    const Json reference = {{"$ref", openapi_reference(version, meta_schema_name(name))}};
    Json out = {{"description", description}};
    if (version == OpenApiVersion::v2) out.update(reference);
    else out["allOf"] = Json::array({reference});
    return out;
}

void add_object_members(Json& schema, OpenApiVersion version) {
    Json& properties = schema["properties"];
    if (!properties.is_object()) properties = Json::object();
    properties["apiVersion"] = {{"type", "string"}, {"description", "Group and version of the object's schema."}};
    properties["kind"] = {{"type", "string"}, {"description", "Type of the object."}};
    properties["metadata"] =
        reference_to(version, "ObjectMeta", "What every object has: name, namespace, labels, annotations, owners.");
}

void add_embedded_members(Json& schema, OpenApiVersion version) {
    if (!is_true(schema, "x-kubernetes-embedded-resource")) return;
    if (version == OpenApiVersion::v2 && is_true(schema, preserve)) return;
    add_object_members(schema, version);
    Json& required = schema["required"];
    if (!required.is_array()) required = Json::array();
    for (const char* member : {"kind", "apiVersion"}) {
        if (std::find(required.begin(), required.end(), Json(member)) == required.end()) required.push_back(member);
    }
}

Json kinds_of(const KindSpec& kind, std::string_view name) {
    return Json::array({{{"group", kind.group}, {"kind", name}, {"version", kind.version}}});
}

}  // namespace

std::string custom_schema_name(const KindSpec& kind, std::string_view name) {
    std::string out;
    std::string_view rest = kind.group;
    while (!rest.empty()) {
        const std::size_t dot = rest.rfind('.');
        out += std::string(dot == std::string_view::npos ? rest : rest.substr(dot + 1)) + ".";
        rest = dot == std::string_view::npos ? std::string_view() : rest.substr(0, dot);
    }
    return out + std::string(kind.version) + "." + std::string(name);
}

std::string custom_schema(OpenApiVersion version, const KindSpec& kind, const Json* schema) {
    const bool v2 = version == OpenApiVersion::v2;
    Json out = {{"type", "object"}};
    // What is not known in full may hold anything, and says so by naming no members.
    if (schema != nullptr && schema->is_object() && !(v2 && is_true(*schema, preserve))) {
        out = *schema;
        for_each_schema(out, unfold_int_or_string);
        if (v2) for_each_schema(out, reduce_to_v2);
        for_each_schema(out, [version](Json& below) { add_embedded_members(below, version); });
        add_object_members(out, version);
    }
    out["x-kubernetes-group-version-kind"] = kinds_of(kind, kind.kind);
    return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string custom_list_schema(OpenApiVersion version, const KindSpec& kind) {
    const std::string plural(kind.plural);
    Json out = {{"type", "object"}, {"description", "A list of " + plural + "."}, {"required", Json::array({"items"})}};
    add_object_members(out, version);
    out["properties"]["metadata"] =
        reference_to(version, "ListMeta", "The revision that the list shows, and where it goes on.");
    out["properties"]["items"] = {
        {"type", "array"},
        {"description", "The " + plural + " themselves."},
        {"items", {{"$ref", openapi_reference(version, custom_schema_name(kind, kind.kind))}}}};
    out["x-kubernetes-group-version-kind"] = kinds_of(kind, kind.list_kind);
    return out.dump();
}

}  // namespace kubemu::api
