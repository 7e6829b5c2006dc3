// Encoding documents along the schema, byte for byte as encoding/json writes Go structs.
//
// omitempty drops empty strings, zeros, false, nil pointers and empty lists and maps, but never a struct: an
// empty status is `{}`, and a time, quantity or int-or-string that is no pointer shows as null, "0" or 0.
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/schema/members.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

// Go's format for float64: plain for ordinary magnitudes, an exponent for extreme ones.
// (Go writes -0 for a negative zero. What is stored so is read as an integer: clients see 0.)
void append_float(std::string& out, double number) {
    if (number == 0) {
        out += '0';
        return;
    }
    const double magnitude = std::abs(number);
    const bool exponent = magnitude < 1e-6 || magnitude >= 1e21;
    std::array<char, 400> buffer{};
    const auto [end, error] =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), number,
                      exponent ? std::chars_format::scientific : std::chars_format::fixed);
    std::string text(buffer.data(), end);
    // 1e-07 is written 1e-7.
    if (exponent && text.size() > 4 && text[text.size() - 4] == 'e' && text[text.size() - 3] == '-' &&
        text[text.size() - 2] == '0') {
        text.erase(text.size() - 2, 1);
    }
    out += text;
}

class Encoder {
  public:
    std::string out;
    std::size_t revision_at = std::string::npos;

    // Members of a struct; `stored` for the object that a request is about, whose kind and apiVersion are
    // there already and whose metadata gets the place of the revision.
    void members(const Json& object, const TypeInfo& type, bool stored) {
        of_record_ = of_record_ || stored;
        const Members values(object, type);
        for (std::size_t i = 0; i < type.fields.size(); ++i) {
            const FieldInfo& field = type.fields[i];
            owner_ = &type;
            if (stored && type.has_type_meta && (field.name == "kind" || field.name == "apiVersion"))
                continue;
            const Json* value = values[i];
            if (stored && field.name == "metadata" && field.type != nullptr &&
                field.type->field("resourceVersion") != nullptr && field.type->field("uid") != nullptr) {
                key(field);
                metadata(value != nullptr ? *value : none(), *field.type);
            } else {
                member(value, field);
            }
        }
        if (type.structural != nullptr) others(object, type);
    }

    // What only the schema of a custom resource describes stands behind the rest, by name, nulls included.
    void others(const Json& object, const TypeInfo& type) {
        for (auto at = object.begin(); at != object.end(); ++at) {
            if (type.field(at.key()) != nullptr) continue;
            key(at.key());
            append_raw(out, *at);
        }
    }

    void structure(const Json& value, const TypeInfo& type) {
        out += '{';
        members(value.is_object() ? value : none(), type, false);
        out += '}';
    }

  private:
    bool of_record_ = false;
    const TypeInfo* owner_ = nullptr;  // the struct whose member is written

    static const Json& none() {
        static const Json empty = Json::object();
        return empty;
    }

    void metadata(const Json& value, const TypeInfo& type) {
        out += '{';
        const Members values(value, type);
        for (std::size_t i = 0; i < type.fields.size(); ++i) {
            const FieldInfo& field = type.fields[i];
            if (field.name == "resourceVersion") {
                key(field);
                out += "\"\"";
                revision_at = out.size() - 1;
            } else {
                member(values[i], field);
            }
        }
        out += '}';
    }

    void key(std::string_view name) {
        if (out.back() != '{') out += ',';
        append_json_string(out, name);
        out += ':';
    }
    // Names of fields hold nothing that would be escaped.
    void key(const FieldInfo& field) {
        if (out.back() != '{') out += ',';
        (out += '"').append(field.name).append("\":");
    }

    void member(const Json* value, const FieldInfo& field) {
        if (value != nullptr && value->is_null()) value = nullptr;
        if (field.shape != Shape::single || field.kind == ValueKind::bytes) {
            const bool empty = value == nullptr || value->empty() ||
                               (value->is_string() && value->get_ref<const std::string&>().empty());
            if (empty && field.omitempty && !(field.pointer && value != nullptr)) return;
            // Protocol Buffers, in which the real server stores objects, do not tell an empty list from none.
            if (empty && of_record_ && !field.pointer && field.kind != ValueKind::bytes) value = nullptr;
        } else if (field.pointer) {
            if (value == nullptr && field.omitempty) return;
        } else if (field.omitempty && is_zero(value, field.kind)) {
            return;
        }
        key(field);
        if (value != nullptr) return shaped(*value, field);
        if (field.pointer || field.shape != Shape::single) {
            out += "null";
        } else {
            zero(field);
        }
    }

    static bool is_zero(const Json* value, ValueKind kind) {
        switch (kind) {
            case ValueKind::string:
                return value == nullptr ||
                       (value->is_string() && value->get_ref<const std::string&>().empty());
            case ValueKind::boolean:
                return value == nullptr || (value->is_boolean() && !value->get<bool>());
            case ValueKind::int32:
            case ValueKind::int64:
            case ValueKind::float64:
                return value == nullptr || (value->is_number() && value->get<double>() == 0);
            default:
                return false;  // a struct in Go
        }
    }

    void zero(const FieldInfo& field) {
        switch (field.kind) {
            case ValueKind::string:
                out += "\"\"";
                return;
            case ValueKind::boolean:
                out += "false";
                return;
            case ValueKind::int32:
            case ValueKind::int64:
            case ValueKind::float64:
            case ValueKind::int_or_string:
                out += '0';
                return;
            case ValueKind::quantity:
                out += "\"0\"";
                return;
            case ValueKind::duration:
                out += "\"0s\"";
                return;
            case ValueKind::object:
                structure(none(), *field.type);
                return;
            case ValueKind::bytes:
            case ValueKind::time:
            case ValueKind::micro_time:
            case ValueKind::raw:
            case ValueKind::fields_v1:
                out += "null";
                return;
        }
    }

    void shaped(const Json& value, const FieldInfo& field) {
        if (field.shape == Shape::single) return single(value, field);
        if (field.shape == Shape::list) return list(value, field);
        if (!value.is_object()) return append_raw(out, value);
        out += '{';
        for (auto at = value.begin(); at != value.end(); ++at) {
            key(at.key());
            if (field.shape == Shape::map_of_lists) {
                list(*at, field);
            } else {
                single(*at, field);
            }
        }
        out += '}';
    }

    // A schema that stands where a list or boolean may stand is a struct like any other.
    void schema_or_other(const Json& value, const FieldInfo& field) {
        const TypeInfo& schema = *owner_;
        if (value.is_object()) return structure(value, schema);
        if (!value.is_array() || field.wire_form != WireForm::schema_or_list) return append_raw(out, value);
        FieldInfo items{.kind = ValueKind::object, .shape = Shape::list};
        items.type = &schema;
        list(value, items);
    }

    void list(const Json& value, const FieldInfo& field) {
        if (!value.is_array()) return append_raw(out, value);
        out += '[';
        for (std::size_t i = 0; i < value.size(); ++i) {
            if (i > 0) out += ',';
            single(value[i], field);
        }
        out += ']';
    }

    void single(const Json& value, const FieldInfo& field) {
        if (field.kind == ValueKind::object && (value.is_object() || value.is_null()))
            return structure(value, *field.type);
        if (field.kind == ValueKind::raw && field.wire_form != WireForm::plain) return schema_or_other(value, field);
        const bool timed = field.kind == ValueKind::time || field.kind == ValueKind::micro_time;
        if (timed && value.is_string() && value.get_ref<const std::string&>().empty()) {
            out += "null";
            return;
        }
        append_raw(out, value);
    }
};

}  // namespace

Encoded encode_object(const Json& object, const TypeInfo& type, std::string_view api_version,
                      std::string_view kind) {
    // Texts grow in a buffer that stays with the thread; what goes out has the size it needs, and room for a revision.
    constexpr std::size_t kept_bytes_max = 1024 * 1024, revision_digits_max = 19;
    thread_local std::string buffer;
    Encoder encoder;
    encoder.out = std::move(buffer);
    encoder.out = "{\"kind\":";
    append_json_string(encoder.out, kind);
    encoder.out += ",\"apiVersion\":";
    append_json_string(encoder.out, api_version);
    const std::size_t body_at = encoder.out.size() + 1;
    encoder.members(object, type, true);
    encoder.out += '}';
    std::string text;
    text.reserve(encoder.out.size() + revision_digits_max);
    text = encoder.out;
    if (encoder.out.capacity() <= kept_bytes_max) buffer = std::move(encoder.out);
    return {std::move(text), encoder.revision_at, body_at};
}

std::string encode_value(const Json& object, const TypeInfo& type) {
    Encoder encoder;
    encoder.structure(object, type);
    return std::move(encoder.out);
}

void append_raw(std::string& out, const Json& document) {
    switch (document.type()) {
        case Json::value_t::object: {
            out += '{';
            bool first = true;
            for (auto at = document.begin(); at != document.end(); ++at) {
                if (!first) out += ',';
                first = false;
                append_json_string(out, at.key());
                out += ':';
                append_raw(out, *at);
            }
            out += '}';
            return;
        }
        case Json::value_t::array: {
            out += '[';
            bool first = true;
            for (const Json& item : document) {
                if (!first) out += ',';
                first = false;
                append_raw(out, item);
            }
            out += ']';
            return;
        }
        case Json::value_t::string:
            return append_json_string(out, document.get_ref<const std::string&>());
        case Json::value_t::number_float:
            return append_float(out, document.get<double>());
        case Json::value_t::number_integer:
            out += std::to_string(document.get<std::int64_t>());
            return;
        case Json::value_t::number_unsigned:
            out += std::to_string(document.get<std::uint64_t>());
            return;
        case Json::value_t::boolean:
            out += document.get<bool>() ? "true" : "false";
            return;
        default:
            out += "null";
    }
}

std::string encode_raw(const Json& document) {
    std::string out;
    append_raw(out, document);
    return out;
}

std::size_t body_offset(std::string_view record_text) {
    // {"kind":"K","apiVersion":"V","metadata"...: names of kinds and versions hold no quotes.
    std::size_t at = 0;
    for (int quotes = 0; quotes < 8 && at < record_text.size(); ++at) {
        if (record_text[at] == '"') ++quotes;
    }
    return at + 1;
}

}  // namespace kubemu::api
