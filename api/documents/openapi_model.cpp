// Schemas and operations out of the type tables.
#include "api/documents/openapi_model.h"

#include <nlohmann/json.hpp>

#include "api/values/text.h"

namespace kubemu::api {
namespace {

std::string reference(OpenApiVersion version, std::string_view name) {
    return (version == OpenApiVersion::v2 ? "#/definitions/" : "#/components/schemas/") + std::string(name);
}

constexpr std::string_view meta = "io.k8s.apimachinery.pkg.apis.meta.v1.";

Json scalar_schema(const FieldInfo& field, OpenApiVersion version) {
    switch (field.kind) {
        case ValueKind::string: return {{"type", "string"}};
        case ValueKind::boolean: return {{"type", "boolean"}};
        case ValueKind::int32: return {{"type", "integer"}, {"format", "int32"}};
        case ValueKind::int64: return {{"type", "integer"}, {"format", "int64"}};
        case ValueKind::float64: return {{"type", "number"}, {"format", "double"}};
        case ValueKind::bytes: return {{"type", "string"}, {"format", "byte"}};
        case ValueKind::object: return {{"$ref", reference(version, field.type->openapi_name)}};
        case ValueKind::time: return {{"$ref", reference(version, std::string(meta) + "Time")}};
        case ValueKind::micro_time: return {{"$ref", reference(version, std::string(meta) + "MicroTime")}};
        case ValueKind::duration: return {{"type", "string"}};
        case ValueKind::quantity: return {{"$ref", reference(version, "io.k8s.apimachinery.pkg.api.resource.Quantity")}};
        case ValueKind::int_or_string: return {{"$ref", reference(version, "io.k8s.apimachinery.pkg.util.intstr.IntOrString")}};
        case ValueKind::raw: return {{"$ref", reference(version, "io.k8s.apimachinery.pkg.runtime.RawExtension")}};
        case ValueKind::fields_v1: return {{"$ref", reference(version, std::string(meta) + "FieldsV1")}};
    }
    return Json::object();
}

// The zero value that Go's OpenAPI generator notes as default for values that are no pointers.
Json zero_of(const FieldInfo& field) {
    switch (field.kind) {
        case ValueKind::string: return "";
        case ValueKind::boolean: return false;
        case ValueKind::int32:
        case ValueKind::int64:
        case ValueKind::float64: return 0;
        default: return Json::object();
    }
}

// v3 wraps references that carry more than the reference in allOf.
Json with_members(Json schema, const Json& members, OpenApiVersion version) {
    if (members.empty()) return schema;
    if (schema.contains("$ref") && version == OpenApiVersion::v3) schema = {{"allOf", Json::array({schema})}};
    schema.update(members);
    return schema;
}

Json field_schema(const FieldInfo& field, OpenApiVersion version) {
    const bool v3 = version == OpenApiVersion::v3;
    Json element = scalar_schema(field, version);
    Json members = Json::object();
    if (!field.description.empty()) members["description"] = field.description;
    if (field.shape == Shape::single) {
        if (v3 && !field.pointer && (field.required || field.kind == ValueKind::object || field.kind == ValueKind::time) &&
            field.kind != ValueKind::bytes && field.kind != ValueKind::raw) {
            members["default"] = zero_of(field);
        }
        if (v3 && !field.default_json.empty() && field.default_json[0] != '{') members["default"] = Json::parse(field.default_json, nullptr, false);
        if (!field.enum_values.empty()) {
            for (const std::string_view value : field.enum_values) members["enum"].push_back(value);
        }
        return with_members(std::move(element), members, version);
    }
    Json item = element;
    if (v3 && field.kind != ValueKind::bytes && field.kind != ValueKind::raw) item = with_members(item, {{"default", zero_of(field)}}, version);
    if (field.shape == Shape::map_of_lists) item = {{"type", "array"}, {"items", item}};
    Json schema = field.shape == Shape::list ? Json{{"type", "array"}, {"items", item}} : Json{{"type", "object"}, {"additionalProperties", item}};
    schema.update(members);
    if (field.list_type != ListType::unset) {
        schema["x-kubernetes-list-type"] = field.list_type == ListType::map ? "map" : field.list_type == ListType::set ? "set" : "atomic";
    }
    if (!field.list_map_keys.empty()) {
        for (const std::string_view key : field.list_map_keys) schema["x-kubernetes-list-map-keys"].push_back(key);
    }
    if (field.map_atomic) schema["x-kubernetes-map-type"] = "atomic";
    return schema;
}

void patch_members(const FieldInfo& field, Json& schema) {
    switch (field.patch_strategy) {
        case PatchStrategy::none: break;
        case PatchStrategy::merge: schema["x-kubernetes-patch-strategy"] = "merge"; break;
        case PatchStrategy::replace: schema["x-kubernetes-patch-strategy"] = "replace"; break;
        case PatchStrategy::retain_keys: schema["x-kubernetes-patch-strategy"] = "retainKeys"; break;
        case PatchStrategy::merge_retain_keys: schema["x-kubernetes-patch-strategy"] = "merge,retainKeys"; break;
    }
    if (!field.patch_merge_key.empty()) schema["x-kubernetes-patch-merge-key"] = field.patch_merge_key;
}

Json group_version_kind(std::string_view group, std::string_view version, std::string_view kind) {
    return {{"group", group}, {"kind", kind}, {"version", version}};
}

void type_members(Json& schema, const KindSpec& kind, bool list) {
    Json& properties = schema["properties"];
    if (!properties.contains("apiVersion")) properties["apiVersion"] = {{"type", "string"}, {"description", "Group and version of the object's schema."}};
    if (!properties.contains("kind")) properties["kind"] = {{"type", "string"}, {"description", "Type of the object."}};
    schema["x-kubernetes-group-version-kind"] =
        Json::array({group_version_kind(kind.group, kind.version, list ? kind.list_kind : kind.kind)});
}

void add_type(Json& schemas, const TypeInfo& type, OpenApiVersion version) {
    const std::string name(type.openapi_name);
    if (schemas.contains(name)) return;
    schemas[name] = Json::object();  // ends the recursion of types that contain themselves
    schemas[name] = type_schema(type, version);
    for (const FieldInfo& field : type.fields) {
        if (field.type != nullptr) add_type(schemas, *field.type, version);
    }
}

Json special_schema(std::string_view type, std::string_view format, std::string_view description) {
    Json schema = {{"description", description}};
    if (!type.empty()) schema["type"] = type;
    if (!format.empty()) schema["format"] = format;
    return schema;
}

Json list_schema(const KindSpec& kind, OpenApiVersion version) {
    const bool v3 = version == OpenApiVersion::v3;
    Json item = {{"$ref", reference(version, kind.type->openapi_name)}};
    Json metadata = {{"$ref", reference(version, std::string(meta) + "ListMeta")}};
    if (v3) {
        item = with_members(item, {{"default", Json::object()}}, version);
        metadata = with_members(metadata, {{"default", Json::object()}}, version);
    }
    Json schema = {{"type", "object"},
                   {"description", std::string(kind.kind) + "List is a list of " + std::string(kind.kind) + " objects."},
                   {"required", Json::array({"items"})}};
    schema["properties"]["items"] = {{"type", "array"}, {"items", item}, {"description", "The objects of the list."}};
    schema["properties"]["metadata"] = metadata;
    type_members(schema, kind, true);
    return schema;
}

std::string list_name(const KindSpec& kind) { return std::string(kind.type->openapi_name) + "List"; }

struct Parameter {
    const char* name;
    const char* type;
    const char* description;
};

Json parameter(const Parameter& p, OpenApiVersion version, const char* in = "query", bool required = false) {
    Json out = {{"name", p.name}, {"in", in}, {"description", p.description}};
    if (required) out["required"] = true;
    Json schema = {{"type", p.type}, {"uniqueItems", true}};
    if (version == OpenApiVersion::v2) out.update(schema);
    else out["schema"] = schema;
    return out;
}

constexpr Parameter pretty{"pretty", "string", "If 'true', the output is indented."};
constexpr Parameter write_parameters[] = {{"dryRun", "string", "All: run every step but the storing."},
                                          {"fieldManager", "string", "Name of the writer for managed fields."},
                                          {"fieldValidation", "string", "What to do about unknown and duplicate fields: Ignore, Warn or Strict."}};
constexpr Parameter force{"force", "boolean", "Take fields over from other managers; apply only."};
constexpr Parameter list_parameters[] = {{"allowWatchBookmarks", "boolean", "Send events of type BOOKMARK."},
                                         {"continue", "string", "Token of the next page."},
                                         {"fieldSelector", "string", "Restrict the list by fields."},
                                         {"labelSelector", "string", "Restrict the list by labels."},
                                         {"limit", "integer", "Most objects in one answer."},
                                         {"resourceVersion", "string", "Which revision to read."},
                                         {"resourceVersionMatch", "string", "How resourceVersion is applied."},
                                         {"sendInitialEvents", "boolean", "Begin a watch with the present objects."},
                                         {"timeoutSeconds", "integer", "Time limit of the call."},
                                         {"watch", "boolean", "Stream changes instead of listing."}};
constexpr Parameter delete_parameters[] = {{"dryRun", "string", "All: run every step but the storing."},
                                           {"gracePeriodSeconds", "integer", "Seconds before the object is deleted."},
                                           {"orphanDependents", "boolean", "Deprecated: use propagationPolicy."},
                                           {"propagationPolicy", "string", "What becomes of dependents: Orphan, Background or Foreground."}};

class Operations {
  public:
    Operations(OpenApiVersion version, const KindSpec& kind) : version_(version), kind_(kind) {}

    Json operation(std::string_view action, std::string_view id, std::string_view answer, std::string_view body) const {
        Json out = {{"operationId", id}, {"tags", Json::array({tag()})}, {"x-kubernetes-action", action}};
        out["x-kubernetes-group-version-kind"] = group_version_kind(kind_.group, kind_.version, kind_.kind);
        out["description"] = std::string(action) + " " + std::string(kind_.kind);
        Json parameters = Json::array();
        if (action == "post" || action == "put" || action == "patch") {
            for (const Parameter& p : write_parameters) parameters.push_back(parameter(p, version_));
            if (action == "patch") parameters.push_back(parameter(force, version_));
        } else if (action == "list" || action == "deletecollection") {
            for (const Parameter& p : list_parameters) parameters.push_back(parameter(p, version_));
        }
        if (action == "delete" || action == "deletecollection") {
            for (const Parameter& p : delete_parameters) {
                if (action == "delete" || std::string_view(p.name) != "timeoutSeconds") parameters.push_back(parameter(p, version_));
            }
        }
        const std::vector<std::string> media = {"application/json", "application/yaml"};
        if (!body.empty()) add_body(out, parameters, body, action == "patch");
        out["parameters"] = std::move(parameters);
        Json responses;
        for (const char* code : {"200", "201"}) {
            if (std::string_view(code) == "201" && action != "post" && action != "put" && action != "patch") continue;
            Json response = {{"description", std::string_view(code) == "200" ? "OK" : "Created"}};
            const Json schema = {{"$ref", reference(version_, answer)}};
            if (version_ == OpenApiVersion::v2) {
                response["schema"] = schema;
            } else {
                for (const std::string& type : media) response["content"][type]["schema"] = schema;
            }
            responses[code] = std::move(response);
        }
        responses["401"] = {{"description", "Unauthorized"}};
        out["responses"] = std::move(responses);
        if (version_ == OpenApiVersion::v2) {
            out["produces"] = media;
            out["consumes"] = Json::array({"*/*"});
            out["schemes"] = Json::array({"https"});
        }
        return out;
    }

  private:
    std::string tag() const {
        std::string group(kind_.group.empty() ? "core" : kind_.group.substr(0, kind_.group.find('.')));
        return group + "_" + std::string(kind_.version);
    }

    void add_body(Json& out, Json& parameters, std::string_view body, bool patch) const {
        const std::string name = patch ? std::string(meta) + "Patch" : std::string(body);
        const Json schema = {{"$ref", reference(version_, name)}};
        if (version_ == OpenApiVersion::v2) {
            parameters.push_back({{"name", "body"}, {"in", "body"}, {"required", true}, {"schema", schema}});
            return;
        }
        const std::vector<std::string> types =
            patch ? std::vector<std::string>{"application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json"}
                  : std::vector<std::string>{"*/*"};
        for (const std::string& type : types) out["requestBody"]["content"][type]["schema"] = schema;
        out["requestBody"]["required"] = true;
    }

    OpenApiVersion version_;
    const KindSpec& kind_;
};

std::string capital(std::string_view text) {
    std::string out(text);
    if (!out.empty() && out[0] >= 'a' && out[0] <= 'z') out[0] = static_cast<char>(out[0] - 'a' + 'A');
    return out;
}

}  // namespace

Json type_schema(const TypeInfo& type, OpenApiVersion version) {
    Json schema = {{"type", "object"}};
    if (!type.description.empty()) schema["description"] = type.description;
    for (const FieldInfo& field : type.fields) {
        Json property = field_schema(field, version);
        patch_members(field, property);
        schema["properties"][std::string(field.name)] = std::move(property);
        if (field.required) schema["required"].push_back(field.name);
    }
    if (type.atomic) schema["x-kubernetes-map-type"] = "atomic";
    return schema;
}

Json schemas_of(const Kinds& kinds, OpenApiVersion version) {
    Json schemas = Json::object();
    for (const KindSpec* kind : kinds) {
        add_type(schemas, *kind->type, version);
        type_members(schemas[std::string(kind->type->openapi_name)], *kind, false);
        if (kind->can(Verb::list)) {
            schemas[list_name(*kind)] = list_schema(*kind, version);
        }
        for (const SubresourceSpec& sub : kind->subresources) {
            if (sub.type == nullptr) continue;
            add_type(schemas, *sub.type, version);
            Json& schema = schemas[std::string(sub.type->openapi_name)];
            if (schema.contains("x-kubernetes-group-version-kind")) continue;
            KindSpec spec = *kind;
            if (!sub.version.empty()) {
                spec.group = sub.group;
                spec.version = sub.version;
            }
            spec.kind = sub.kind;
            type_members(schema, spec, false);
        }
    }
    for (const char* shared : {"meta/v1.DeleteOptions", "meta/v1.Status", "meta/v1.ListMeta", "meta/v1.APIResourceList"}) {
        if (const TypeInfo* type = find_type(shared)) add_type(schemas, *type, version);
    }
    for (const char* root : {"DeleteOptions", "Status"}) {
        const std::string name = std::string(meta) + root;
        if (!schemas.contains(name)) continue;
        Json& schema = schemas[name];
        schema["properties"]["apiVersion"] = {{"type", "string"}};
        schema["properties"]["kind"] = {{"type", "string"}};
        schema["x-kubernetes-group-version-kind"] = Json::array({group_version_kind("", "v1", root)});
    }
    const bool v3 = version == OpenApiVersion::v3;
    schemas[std::string(meta) + "Time"] = special_schema("string", "date-time", "A moment, to the second, as RFC 3339 text.");
    schemas[std::string(meta) + "MicroTime"] = special_schema("string", "date-time", "A moment, to the microsecond, as RFC 3339 text.");
    schemas[std::string(meta) + "FieldsV1"] = special_schema("object", "", "A set of fields.");
    schemas[std::string(meta) + "Patch"] = special_schema("object", "", "The body of a PATCH request.");
    schemas["io.k8s.apimachinery.pkg.runtime.RawExtension"] = special_schema("object", "", "Any object.");
    Json quantity = special_schema("", "", "A number with a unit such as 100m or 1Gi.");
    Json int_or_string = special_schema("", "int-or-string", "A number or a text such as a percentage.");
    if (v3) {
        quantity["oneOf"] = Json::array({{{"type", "string"}}, {{"type", "number"}}});
        int_or_string["oneOf"] = Json::array({{{"type", "integer"}}, {{"type", "string"}}});
    } else {
        quantity["type"] = "string";
        int_or_string["type"] = "string";
    }
    schemas["io.k8s.apimachinery.pkg.api.resource.Quantity"] = quantity;
    schemas["io.k8s.apimachinery.pkg.util.intstr.IntOrString"] = int_or_string;
    return schemas;
}

Json paths_of(const Kinds& kinds, OpenApiVersion version) {
    Json paths = Json::object();
    for (const KindSpec* kind : kinds) {
        const std::string root = kind->group.empty() ? "/api/v1/" : "/apis/" + std::string(kind->group) + "/" + std::string(kind->version) + "/";
        const std::string collection = root + (kind->namespaced ? "namespaces/{namespace}/" : "") + std::string(kind->plural);
        const Operations make(version, *kind);
        const std::string type(kind->type->openapi_name), list = list_name(*kind);
        const std::string group = capital(kind->group.empty() ? "core" : kind->group.substr(0, kind->group.find('.')));
        const std::string suffix = group + capital(kind->version) + (kind->namespaced ? "Namespaced" : "") + std::string(kind->kind);
        const std::string status = std::string(meta) + "Status", options = std::string(meta) + "DeleteOptions";
        Json& all = paths[collection];
        if (kind->can(Verb::list)) all["get"] = make.operation("list", "list" + suffix, list, "");
        if (kind->can(Verb::create)) all["post"] = make.operation("post", "create" + suffix, type, type);
        if (kind->can(Verb::delete_collection)) {
            all["delete"] = make.operation("deletecollection", "delete" + group + capital(kind->version) + "Collection" + (kind->namespaced ? "Namespaced" : "") + std::string(kind->kind), status, options);
        }
        if (kind->namespaced && kind->can(Verb::list)) {
            paths[root + std::string(kind->plural)]["get"] =
                make.operation("list", "list" + group + capital(kind->version) + std::string(kind->kind) + "ForAllNamespaces", list, "");
        }
        if (kind->can(Verb::get)) {
            Json& one = paths[collection + "/{name}"];
            one["get"] = make.operation("get", "read" + suffix, type, "");
            if (kind->can(Verb::update)) one["put"] = make.operation("put", "replace" + suffix, type, type);
            if (kind->can(Verb::patch)) one["patch"] = make.operation("patch", "patch" + suffix, type, type);
            if (kind->can(Verb::del)) one["delete"] = make.operation("delete", "delete" + suffix, kind->delete_returns_object ? type : status, options);
        }
        for (const SubresourceSpec& sub : kind->subresources) {
            if (sub.type == nullptr) continue;
            KindSpec spec = *kind;
            if (!sub.version.empty()) {
                spec.group = sub.group;
                spec.version = sub.version;
            }
            spec.kind = sub.kind;
            const Operations sub_make(version, spec);
            const std::string sub_type(sub.type->openapi_name), name = suffix + capital(sub.name);
            Json& one = paths[collection + "/{name}/" + std::string(sub.name)];
            const auto can = [&sub](Verb verb) { return (sub.verbs & static_cast<std::uint16_t>(verb)) != 0; };
            if (can(Verb::get)) one["get"] = sub_make.operation("get", "read" + name, sub_type, "");
            if (can(Verb::update)) one["put"] = sub_make.operation("put", "replace" + name, sub_type, sub_type);
            if (can(Verb::patch)) one["patch"] = sub_make.operation("patch", "patch" + name, sub_type, sub_type);
            if (can(Verb::create)) one["post"] = sub_make.operation("post", "create" + name, sub_type, sub_type);
        }
        for (auto& [path, item] : paths.items()) {
            if (item.contains("parameters") || path.substr(0, root.size()) != root) continue;
            item["parameters"] = Json::array({parameter(pretty, version)});
            constexpr Parameter name{"name", "string", "Name of the object."}, space{"namespace", "string", "Namespace of the object."};
            if (path.find("{name}") != std::string::npos) item["parameters"].push_back(parameter(name, version, "path", true));
            if (path.find("{namespace}") != std::string::npos) item["parameters"].push_back(parameter(space, version, "path", true));
        }
    }
    return paths;
}

}  // namespace kubemu::api
