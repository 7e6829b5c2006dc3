// TypeInfo and FieldInfo: what is known about every API type, as constant tables.
//
// The tables are compiled from api/schema/*.yaml at build time (api/schema/compile.cpp) and live in read-only
// memory. A CustomResourceDefinition will build the same structures at run time, so nothing here is a template.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace kubemu::api {

namespace structural {
struct Schema;
}

struct TypeInfo;

enum class ValueKind : std::uint8_t {
    string,
    boolean,
    int32,
    int64,
    float64,
    bytes,          // base64 text in JSON
    object,         // `type` says which
    time,           // RFC 3339, seconds; meta/v1.Time
    micro_time,     // RFC 3339, exactly six decimals; meta/v1.MicroTime
    duration,       // meta/v1.Duration, "1m0s"
    quantity,       // resource.Quantity, "100m"
    int_or_string,  // intstr.IntOrString
    raw,            // any JSON value: runtime.RawExtension, apiextensions JSON
    fields_v1,      // metav1.FieldsV1: a JSON object of any content
};

enum class Shape : std::uint8_t { single, list, map /* string keys */, map_of_lists /* map[string][]value */ };
enum class ListType : std::uint8_t { unset, atomic, set, map };
enum class PatchStrategy : std::uint8_t { none, merge, replace, retain_keys, merge_retain_keys };
// Types that have one form in JSON and another on the Protocol Buffers wire, beyond what their ValueKind says.
enum class WireForm : std::uint8_t {
    plain,
    list_message,      // meta/v1.Verbs: a list of strings, a message of items on the wire
    schema_or_list,    // apiextensions/v1.JSONSchemaPropsOrArray
    schema_or_bool,    // apiextensions/v1.JSONSchemaPropsOrBool
    schema_or_names,   // apiextensions/v1.JSONSchemaPropsOrStringArray
};

struct FieldInfo {
    std::string_view name{};     // JSON name
    std::string_view pb_name{};  // empty when it equals `name`
    // The Go type as error messages print it ("v1.Protocol", "[]v1.Capability", "v1.ResourceList"), without '*'.
    // Empty where kind, shape and type say it all ("int32", "[]v1.Container"): see go_type_of.
    std::string_view go_type{};
    ValueKind kind = ValueKind::string;
    Shape shape = Shape::single;
    ListType list_type = ListType::unset;
    PatchStrategy patch_strategy = PatchStrategy::none;
    const TypeInfo* type = nullptr;          // for kind object: the value's (or item's) type
    WireForm wire_form = WireForm::plain;
    bool omitempty = true;                   // false: written even when empty or zero
    bool pointer = false;                    // absence is told from the zero value
    bool required = false;
    bool map_atomic = false;                 // mapType=atomic or structType=atomic at this field
    bool map_granular = false;               // mapType=granular or structType=granular, said for documentation
    bool immutable = false;
    std::string_view patch_merge_key{};
    std::span<const std::string_view> list_map_keys{};
    std::string_view default_json{};           // the default as JSON text; empty when there is none
    std::string_view documented_default{};     // what OpenAPI states as default, as JSON text; others are set unsaid
    std::span<const std::string_view> enum_values{};
    std::string_view description{};
};

// One field of a message on the Protocol Buffers wire. Structs that are embedded in Go, and so flat in JSON, are
// messages of their own there.
struct WireField {
    std::uint16_t number = 0;
    std::uint16_t field = 0;                // index into the type's fields; of no meaning for an embedded struct
    std::span<const WireField> embedded{};  // the fields of an embedded struct; empty for every other field
};

struct TypeInfo {
    std::string_view name{};          // "core/v1.PodSpec"
    std::string_view openapi_name{};  // "io.k8s.api.core.v1.PodSpec"
    std::string_view description{};
    std::span<const FieldInfo> fields{};               // in the order in which they are written
    std::span<const std::uint16_t> fields_by_name{};   // indexes into `fields`, sorted by JSON name
    std::span<const WireField> wire{};                 // the message, by number; without what is not in it
    bool atomic = false;                             // structType=atomic
    // The first two fields are kind and apiVersion. On the Protocol Buffers wire the envelope has them.
    bool has_type_meta = false;
    bool has_defaults = false;                       // it, or a type it holds, has a field with a default
    bool is_union = false;                           // at most one field is set (x-kubernetes-unions)
    std::string_view union_discriminator{};          // the field that says which; empty when none does
    // A custom resource: what it holds beside the fields above is described by this schema. Null for built-in types.
    const structural::Schema* structural = nullptr;

    // Null when there is no such field.
    const FieldInfo* field(std::string_view json_name) const;
};

// The Go type of a field as error messages print it: "int32", "[]v1.Container", "map[string]string".
std::string go_type_of(const FieldInfo& field);
// "core/v1.PodSpec" is "v1.PodSpec" in messages, and "PodSpec" before a dot.
std::string_view go_name_of(const TypeInfo& type);

// All built-in types by name ("core/v1.PodSpec"); null when unknown.
const TypeInfo* find_type(std::string_view name);
std::span<const TypeInfo* const> all_types();

}  // namespace kubemu::api
