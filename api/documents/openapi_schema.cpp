// A field of a type is a property; a type is a schema. Types with a wire form of their own have one schema each.
#include "api/documents/openapi_schema.h"

#include <algorithm>
#include <cstdlib>
#include <tuple>
#include <vector>

namespace kubemu::api {
namespace {

constexpr std::string_view meta_prefix = "io.k8s.apimachinery.pkg.apis.meta.v1.";
constexpr std::string_view extensions_prefix = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.";

struct Special {
    std::string_view name, v2, v3, description;
};

// v2 and v3: the members of the schema besides its description.
constexpr Special specials[] = {
    {"io.k8s.apimachinery.pkg.apis.meta.v1.Time", R"("type":"string","format":"date-time")",
     R"("type":"string","format":"date-time")",
     "A moment as RFC 3339 text, exact to the second, such as 2025-01-31T12:00:00Z."},
    {"io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime", R"("type":"string","format":"date-time")",
     R"("type":"string","format":"date-time")", "A moment as RFC 3339 text, exact to the microsecond."},
    {"io.k8s.apimachinery.pkg.apis.meta.v1.Duration", R"("type":"string")", R"("type":"string")",
     "A span of time as Go writes it, such as 1h30m or 250ms."},
    {"io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1", R"("type":"object")", R"("type":"object")",
     "A set of fields as a tree: f:NAME is a field, k:{KEYS} an item of a list by its keys, v:VALUE an item by its "
     "value, "
     "i:INDEX an item by its place, and a dot stands for the node itself."},
    {"io.k8s.apimachinery.pkg.runtime.RawExtension", R"("type":"object")", R"("type":"object")",
     "An object of any kind, kept as it was given."},
    {"io.k8s.apimachinery.pkg.api.resource.Quantity", R"("type":"string")",
     R"("oneOf":[{"type":"string"},{"type":"number"}])",
     "A number with an optional unit: decimal (n, u, m, k, M, G, T, P, E), binary (Ki, Mi, Gi, Ti, Pi, Ei) or an "
     "exponent. "
     "500m is a half, 64Mi is 67108864."},
    {"io.k8s.apimachinery.pkg.util.intstr.IntOrString", R"("type":"string","format":"int-or-string")",
     R"("format":"int-or-string","oneOf":[{"type":"integer"},{"type":"string"}])",
     "A whole number, or text: a percentage such as 25% or the name of a port, whichever the field takes."},
    {"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON", "", "", "Any JSON value."},
    {"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray", "", "",
     "One schema, or a list of schemas."},
    {"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool", "", "",
     "A schema, or a boolean: true allows everything, false nothing."},
    {"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray", "", "",
     "A schema, or a list of property names."},
};

// Code of one's own may be behind the Go type of raw JSON: its name is the last part of FieldInfo::go_type.
std::string raw_name(const FieldInfo& field) {
    const std::size_t at = field.go_type.rfind("JSON");
    if (at == std::string_view::npos) return "io.k8s.apimachinery.pkg.runtime.RawExtension";
    const std::string_view type = field.go_type.substr(at);
    return std::string(extensions_prefix) +
           std::string(type == "JSONSchemaDependencies" ? "JSONSchemaPropsOrStringArray" : type);
}

// The name of the schema that a value of this field refers to; empty when its schema is written in place.
std::string referred_name(const FieldInfo& field) {
    switch (field.kind) {
        case ValueKind::object: return std::string(field.type->openapi_name);
        case ValueKind::time: return meta_schema_name("Time");
        case ValueKind::micro_time: return meta_schema_name("MicroTime");
        case ValueKind::duration: return meta_schema_name("Duration");
        case ValueKind::fields_v1: return meta_schema_name("FieldsV1");
        case ValueKind::quantity: return "io.k8s.apimachinery.pkg.api.resource.Quantity";
        case ValueKind::int_or_string: return "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
        case ValueKind::raw: return raw_name(field);
        default: return {};
    }
}

// What the generator states as default of a value that is no pointer: the zero value, and {} for every struct.
std::string_view zero_value(ValueKind kind) {
    switch (kind) {
        case ValueKind::string: return "\"\"";
        case ValueKind::boolean: return "false";
        case ValueKind::int32:
        case ValueKind::int64:
        case ValueKind::float64: return "0";
        case ValueKind::bytes: return {};
        default: return "{}";
    }
}

std::string_view default_of(const FieldInfo& field) {
    if (!field.documented_default.empty()) return field.documented_default;
    if (field.pointer) return {};
    const std::string_view zero = zero_value(field.kind);
    return field.omitempty && zero != "{}" ? std::string_view() : zero;
}

std::string_view strategy_name(PatchStrategy strategy) {
    switch (strategy) {
        case PatchStrategy::none: return {};
        case PatchStrategy::merge: return "merge";
        case PatchStrategy::replace: return "replace";
        case PatchStrategy::retain_keys: return "retainKeys";
        case PatchStrategy::merge_retain_keys: return "merge,retainKeys";
    }
    return {};
}

void write_list(JsonText& out, std::string_view name, std::span<const std::string_view> values) {
    out.key(name).open('[');
    for (const std::string_view value : values) out.text(value);
    out.close(']');
}

void write_enum(JsonText& out, const FieldInfo& field) {
    std::vector<std::string_view> sorted(field.enum_values.begin(), field.enum_values.end());
    std::sort(sorted.begin(), sorted.end());
    write_list(out, "enum", sorted);
}

void write_extensions(JsonText& out, const FieldInfo& field) {
    if (field.list_type != ListType::unset) {
        out.member("x-kubernetes-list-type", field.list_type == ListType::map   ? "map"
                                             : field.list_type == ListType::set ? "set"
                                                                                : "atomic");
    }
    if (!field.list_map_keys.empty()) write_list(out, "x-kubernetes-list-map-keys", field.list_map_keys);
    if (field.map_atomic || field.map_granular)
        out.member("x-kubernetes-map-type", field.map_atomic ? "atomic" : "granular");
    if (!field.patch_merge_key.empty()) out.member("x-kubernetes-patch-merge-key", field.patch_merge_key);
    const std::string_view strategy = strategy_name(field.patch_strategy);
    if (!strategy.empty()) out.member("x-kubernetes-patch-strategy", strategy);
}

// Older clients show the description alone, so it names all values of an enum.
std::string description_of(const FieldInfo& field) {
    std::string text(field.description);
    const auto named = [&text](std::string_view value) { return text.find(value) != std::string::npos; };
    if (std::all_of(field.enum_values.begin(), field.enum_values.end(), named)) return text;
    const char* separator = text.empty() ? "One of " : " One of ";
    for (const std::string_view value : field.enum_values) {
        text += separator + (value.empty() ? "\"\"" : std::string(value));
        separator = ", ";
    }
    return text + ".";
}

bool has_extensions(const FieldInfo& field) {
    return field.list_type != ListType::unset || field.map_atomic || field.map_granular ||
           !field.patch_merge_key.empty() || field.patch_strategy != PatchStrategy::none;
}

// The group and version to which the types of one file of api/schema belong, by the file's prefix ("rbac/v1").
struct Place {
    std::string_view group, version;
};
const std::map<std::string_view, Place>& places() {
    static const std::map<std::string_view, Place> found = [] {
        std::map<std::string_view, Place> places;
        const auto prefix = [](const TypeInfo& type) { return type.name.substr(0, type.name.rfind('.')); };
        for (const KindSpec& kind : builtin_kinds()) {
            places[prefix(*kind.type)] = {kind.group, kind.version};
            for (const SubresourceSpec& sub : kind.subresources) {
                if (sub.type != nullptr && !sub.version.empty())
                    places.insert({prefix(*sub.type), {sub.group, sub.version}});
            }
        }
        places["meta/v1"] = {"", "v1"};
        return places;
    }();
    return found;
}

const TypeInfo& meta_type(std::string_view name) {
    const TypeInfo* type = find_type("meta/v1." + std::string(name));
    if (type == nullptr) std::abort();  // api/schema/meta_v1.yaml has it
    return *type;
}

void write_kind(JsonText& out, std::string_view group, std::string_view version, std::string_view kind) {
    out.open('{').member("group", group).member("kind", kind).member("version", version).close('}');
}

// {"localhostProfile":"LocalhostProfile"}: each field of a union and the value of the discriminator that stands for it.
void write_union(JsonText& out, const TypeInfo& type) {
    out.key("x-kubernetes-unions").open('[').open('{');
    if (!type.union_discriminator.empty()) out.member("discriminator", type.union_discriminator);
    out.key("fields-to-discriminateBy").open('{');
    for (const FieldInfo& field : type.fields) {
        if (field.name == type.union_discriminator) continue;
        std::string go(field.name);
        go[0] = static_cast<char>(go[0] - 'a' + 'A');
        out.member(field.name, go);
    }
    out.close('}').close('}').close(']');
}

}  // namespace

std::string openapi_reference(OpenApiVersion version, std::string_view name) {
    return (version == OpenApiVersion::v2 ? "#/definitions/" : "#/components/schemas/") + std::string(name);
}

std::string meta_schema_name(std::string_view type) {
    return std::string(meta_prefix) + std::string(type);
}

std::string_view OpenApiSchemas::add(const TypeInfo& type) {
    if (!types_.emplace(type.openapi_name, &type).second) return type.openapi_name;
    for (const FieldInfo& field : type.fields) {
        if (field.kind == ValueKind::object) add(*field.type);
        else if (const std::string name = referred_name(field); !name.empty()) add_special(name);
    }
    return type.openapi_name;
}

std::string OpenApiSchemas::add_meta(std::string_view type) {
    std::string name = meta_schema_name(type);
    add(meta_type(type));
    return name;
}

void OpenApiSchemas::add_special(const std::string& name) {
    if (texts_.count(name) != 0) return;
    const auto found =
        std::find_if(std::begin(specials), std::end(specials), [&](const Special& s) { return s.name == name; });
    if (found == std::end(specials)) std::abort();  // every name that a field refers to is in the table
    JsonText out;
    out.open('{').member("description", found->description);
    const std::string_view members = version_ == OpenApiVersion::v2 ? found->v2 : found->v3;
    if (!members.empty()) out.raw(members);
    texts_.emplace(name, out.close('}').take());
}

// One value of a field. `alone`: nothing else will be written beside it in its object.
void OpenApiSchemas::write_element(JsonText& out, const FieldInfo& field, std::string_view default_json,
                                   bool alone) const {
    if (version_ == OpenApiVersion::v2) default_json = {};
    const std::string name = referred_name(field);
    if (!name.empty()) {
        const std::string reference = openapi_reference(version_, name);
        // OpenAPI 3.0 ignores what is beside a reference, so that it is wrapped.
        if (version_ == OpenApiVersion::v2 || (alone && default_json.empty())) out.member("$ref", reference);
        else out.key("allOf").open('[').open('{').member("$ref", reference).close('}').close(']');
    }
    switch (field.kind) {
        case ValueKind::string: out.member("type", "string"); break;
        case ValueKind::boolean: out.member("type", "boolean"); break;
        case ValueKind::int32: out.member("type", "integer").member("format", "int32"); break;
        case ValueKind::int64: out.member("type", "integer").member("format", "int64"); break;
        case ValueKind::float64: out.member("type", "number").member("format", "double"); break;
        case ValueKind::bytes: out.member("type", "string").member("format", "byte"); break;
        default: break;
    }
    if (!default_json.empty()) out.key("default").raw(default_json);
    if (!field.enum_values.empty()) write_enum(out, field);
}

void OpenApiSchemas::write_field(JsonText& out, const FieldInfo& field) const {
    out.open('{');
    const std::string description = description_of(field);
    if (!description.empty()) out.member("description", description);
    if (field.shape == Shape::single) {
        write_element(out, field, default_of(field), description.empty() && !has_extensions(field));
    } else {
        const std::string_view zero = zero_value(field.kind);
        const bool list = field.shape == Shape::list;
        out.member("type", list ? "array" : "object").key(list ? "items" : "additionalProperties").open('{');
        if (field.shape == Shape::map_of_lists) out.member("type", "array").key("items").open('{');
        write_element(out, field, zero, true);
        if (field.shape == Shape::map_of_lists) out.close('}');
        out.close('}');
    }
    write_extensions(out, field);
    out.close('}');
}

void OpenApiSchemas::write_kinds(JsonText& out, const TypeInfo& type) const {
    const std::string_view kind = go_name_of(type);
    const bool everywhere = type.name == "meta/v1.DeleteOptions" || type.name == "meta/v1.WatchEvent";
    if (!type.has_type_meta && !everywhere) return;
    const auto place = places().find(type.name.substr(0, type.name.rfind('.')));
    if (place == places().end()) return;
    out.key("x-kubernetes-group-version-kind").open('[');
    if (everywhere) {
        // Every group version knows these two.
        std::vector<std::pair<std::string_view, std::string_view>> versions = {{"", "v1"}};
        for (const KindSpec* served : served_) versions.emplace_back(served->group, served->version);
        std::sort(versions.begin(), versions.end());
        versions.erase(std::unique(versions.begin(), versions.end()), versions.end());
        for (const auto& [group, version] : versions) write_kind(out, group, version, kind);
    } else {
        write_kind(out, place->second.group, place->second.version, kind);
    }
    out.close(']');
}

void OpenApiSchemas::write_type(JsonText& out, const TypeInfo& type) const {
    out.open('{');
    if (!type.description.empty()) out.member("description", type.description);
    out.member("type", "object");
    if (!type.fields.empty()) {
        out.key("properties").open('{');
        for (const FieldInfo& field : type.fields) {
            out.key(field.name);
            // kind and apiVersion are strings with no default.
            if (type.has_type_meta && (&field == &type.fields[0] || &field == &type.fields[1])) {
                out.open('{').member("description", field.description).member("type", "string").close('}');
            } else {
                write_field(out, field);
            }
        }
        out.close('}');
        if (std::any_of(type.fields.begin(), type.fields.end(),
                        [](const FieldInfo& field) { return field.required; })) {
            out.key("required").open('[');
            for (const FieldInfo& field : type.fields) {
                if (field.required) out.text(field.name);
            }
            out.close(']');
        }
    }
    write_kinds(out, type);
    if (type.atomic) out.member("x-kubernetes-map-type", "atomic");
    if (type.is_union) write_union(out, type);
    out.close('}');
}

void OpenApiSchemas::write(JsonText& out) const {
    out.open('{');
    auto text = texts_.begin();
    const auto texts_until = [&](std::string_view name) {
        for (; text != texts_.end() && (name.empty() || text->first < name); ++text)
            out.key(text->first).raw(text->second);
    };
    for (const auto& [name, type] : types_) {
        texts_until(name);
        out.key(name);
        write_type(out, *type);
    }
    texts_until({});
    out.close('}');
}

}  // namespace kubemu::api
