// The walk over a document along its type. spew writes a value's Go type before it, except before the items of slices
// and maps, where it follows from the type of the whole.
#include "api/codec/go_dump.h"

#include <nlohmann/json.hpp>

#include "api/schema/go_structs.h"
#include "api/values/int_or_string.h"
#include "api/values/time.h"

namespace kubemu::api {
namespace {

constexpr std::int64_t seconds_before_1970 = 62135596800;  // from year 1, where Go's time begins

// time.Unix(...).Local() in a container, where there is no /etc/localtime and the local zone is an empty one called UTC.
constexpr std::string_view local_zone =
    "(*time.Location){name:(string)UTC zone:([]time.zone)<nil> tx:([]time.zoneTrans)<nil> extend:(string) "
    "cacheStart:(int64)0 cacheEnd:(int64)0 cacheZone:(*time.zone)<nil>}";

void dump_struct(std::string& out, const TypeInfo& type, const Json& value);

const Json& or_zero(const Json* value) {
    static const Json none;
    return value != nullptr ? *value : none;
}

void dump_time(std::string& out, const Json& value) {
    if (!value.is_string()) {
        out += "{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}";
        return;
    }
    const Time time = parse_time_or_zero(value.get_ref<const std::string&>());
    const std::int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
    out += "{Time:(time.Time){wall:(uint64)0 ext:(int64)" + std::to_string(seconds + seconds_before_1970) + " loc:";
    out += local_zone;
    out += "}}";
}

void dump_int_or_string(std::string& out, const Json& value) {
    const bool text = value.is_string();
    out += text ? "{Type:(intstr.Type)1 IntVal:(int32)0 StrVal:(string)" : "{Type:(intstr.Type)0 IntVal:(int32)";
    if (text) out += value.get_ref<const std::string&>();
    if (!text) out += (value.is_number() ? value.dump() : "0") + " StrVal:(string)";
    out += '}';
}

void dump_fields_v1(std::string& out, const Json& value) {
    out += "{Raw:([]uint8)";
    if (value.is_null()) {
        out += "<nil>}";
        return;
    }
    out += '[';
    bool first = true;
    for (const char c : value.dump()) {
        if (!first) out += ' ';
        first = false;
        out += std::to_string(static_cast<unsigned char>(c));
    }
    out += "]}";
}

// A single value without its type; null is the zero value.
void dump_value(std::string& out, const FieldInfo& field, const Json& value) {
    switch (field.kind) {
        case ValueKind::string:
            if (value.is_string()) out += value.get_ref<const std::string&>();
            return;
        case ValueKind::boolean: out += value.is_boolean() && value.get<bool>() ? "true" : "false"; return;
        case ValueKind::int32:
        case ValueKind::int64: out += value.is_number() ? value.dump() : "0"; return;
        case ValueKind::object: dump_struct(out, *field.type, value); return;
        case ValueKind::time: dump_time(out, value); return;
        case ValueKind::quantity: go_dump_quantity(out, value.is_string() ? value.get_ref<const std::string&>() : ""); return;
        case ValueKind::int_or_string: dump_int_or_string(out, value); return;
        case ValueKind::fields_v1: dump_fields_v1(out, value); return;
        case ValueKind::float64:
        case ValueKind::bytes:
        case ValueKind::micro_time:
        case ValueKind::duration:
        case ValueKind::raw: return;  // the tool that compiles the schema refuses types that hold these
    }
}

// Empty lists and maps do not survive Protocol Buffers: they are nil.
void dump_items(std::string& out, const FieldInfo& field, const Json& value) {
    if (value.empty()) {
        out += "<nil>";
        return;
    }
    bool first = true;
    out += value.is_object() ? "map[" : "[";
    for (const auto& item : value.items()) {
        if (!first) out += ' ';
        first = false;
        if (value.is_object()) out += item.key() + ":";
        dump_value(out, field, item.value());
    }
    out += ']';
}

void dump_field(std::string& out, const FieldInfo& field, const Json& value) {
    out += field.pointer ? "(*" : "(";
    out += go_type_of(field);
    out += ')';
    if (field.shape != Shape::single) {
        dump_items(out, field, value);
    } else if (field.pointer && value.is_null()) {
        out += "<nil>";
    } else {
        dump_value(out, field, value);
    }
}

void dump_struct(std::string& out, const TypeInfo& type, const Json& value) {
    const std::string_view all = go_structs();
    const std::string head = "\n" + std::string(type.name) + " ";
    const std::size_t found = all.find(head);
    out += '{';
    if (found == std::string_view::npos) {
        out += '}';
        return;
    }
    std::string_view words = all.substr(found + head.size());
    words = words.substr(0, words.find('\n'));
    auto field = type.fields.begin();
    bool first = true;
    while (!words.empty()) {
        const std::string_view word = words.substr(0, words.find(' '));
        words.remove_prefix(std::min(words.size(), word.size() + 1));
        if (word == "}") {
            out += word;
            continue;
        }
        if (!first) out += ' ';
        first = word.ends_with('{');
        if (first) {  // an embedded struct is a field called after its type
            out += word.substr(word.find('.') + 1, word.size() - word.find('.') - 2);
            out += ":(";
            out += word.substr(0, word.size() - 1);
            out += "){";
            continue;
        }
        out += word;
        out += ':';
        dump_field(out, *field, or_zero(find(value, field->name)));
        ++field;
    }
    out += '}';
}

}  // namespace

std::string go_dump(const TypeInfo& type, const Json& document) {
    std::string out = "(";
    out += type.name.substr(type.name.find('/') + 1);
    out += ')';
    dump_struct(out, type, document);
    return out;
}

}  // namespace kubemu::api
