// One generic reader over the type tables, with the words of the readers that gogo makes.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

#include "api/codec/json.h"
#include "api/codec/json_syntax.h"
#include "api/codec/protobuf.h"
#include "api/codec/protobuf_buffer.h"
#include "api/codec/scalars.h"
#include "api/schema/zero.h"
#include "api/values/text.h"
#include "api/values/time.h"
#include "storage/base/limits.h"

namespace kubemu::api {
namespace {

struct Field {
    std::uint32_t number = 0;
    std::uint32_t wire = varint_wire;
    std::uint64_t value = 0;   // wires 0, 1 and 5
    std::string_view bytes{};  // wire 2
};

constexpr std::string_view unexpected_end = "unexpected EOF";

class Reader {
  public:
    // `message`: Go's name of what is read, for errors.
    Reader(std::string_view data, std::string_view message) : data_(data), message_(message) {}

    bool done() const { return data_.empty(); }
    // Nothing when the bytes are no message; `error` says why.
    std::optional<Field> next() {
        const auto tag = varint();
        if (!tag) return std::nullopt;
        Field field;
        field.number = static_cast<std::uint32_t>(*tag >> 3);
        field.wire = static_cast<std::uint32_t>(*tag & 7);
        if (field.wire == end_group_wire) return fail(about() + ": wiretype end group for non-group");
        if (static_cast<std::int32_t>(field.number) <= 0) {
            return fail(about() + ": illegal tag " + std::to_string(static_cast<std::int32_t>(field.number)) +
                        " (wire type " + std::to_string(*tag) + ")");
        }
        if (!contents(field)) return std::nullopt;
        return field;
    }
    const std::string& error() const { return error_; }

  private:
    std::nullopt_t fail(std::string text) {
        error_ = std::move(text);
        return std::nullopt;
    }
    std::string about() const { return "proto: " + std::string(message_); }

    // What stands behind a tag. The contents of groups, which no type has, are passed over.
    bool contents(Field& field) {
        int groups = 0;
        for (std::uint32_t wire = field.wire;;) {
            if (wire == varint_wire) {
                const auto value = varint();
                if (!value) return false;
                field.value = *value;
            } else if (wire == fixed64_wire || wire == fixed32_wire) {
                const std::size_t size = wire == fixed64_wire ? 8 : 4;
                if (data_.size() < size) return fail(std::string(unexpected_end)), false;
                std::memcpy(&field.value, data_.data(), size);
                data_.remove_prefix(size);
            } else if (wire == bytes_wire) {
                const auto size = varint();
                if (!size) return false;
                if (*size > INT64_MAX) return fail("proto: negative length found during unmarshaling"), false;
                if (*size > data_.size()) return fail(std::string(unexpected_end)), false;
                field.bytes = data_.substr(0, *size);
                data_.remove_prefix(*size);
            } else if (wire == group_wire) {
                ++groups;
            } else if (wire == end_group_wire) {
                if (groups == 0) return fail("proto: unexpected end of group"), false;
                --groups;
            } else {
                return fail("proto: illegal wireType " + std::to_string(wire)), false;
            }
            if (groups == 0) return true;
            const auto tag = varint();
            if (!tag) return false;
            wire = static_cast<std::uint32_t>(*tag & 7);
        }
    }

    std::optional<std::uint64_t> varint() {
        std::uint64_t value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            if (data_.empty()) return fail(std::string(unexpected_end));
            const auto byte = static_cast<unsigned char>(data_[0]);
            data_.remove_prefix(1);
            value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
            if ((byte & 0x80) == 0) return value;
        }
        return fail("proto: integer overflow");
    }

    std::string_view data_, message_;
    std::string error_;
};

// The name of the field in Go's struct, as far as it can be told from the name on the wire.
std::string go_field_name(const FieldInfo& info) {
    if (info.name == "metadata" && info.type != nullptr) return std::string(go_name_of(*info.type));
    std::string name(info.pb_name.empty() ? info.name : info.pb_name);
    for (const std::string_view initials :
         {"uid", "url", "api", "id", "ip", "tls", "nfs", "iscsi", "rbd", "csi", "fc", "cidr"}) {
        if (name.compare(0, initials.size(), initials) != 0) continue;
        if (name.size() > initials.size() && !(name[initials.size()] >= 'A' && name[initials.size()] <= 'Z')) continue;
        for (std::size_t i = 0; i < initials.size(); ++i) name[i] = static_cast<char>(name[i] - 'a' + 'A');
        return name;
    }
    if (!name.empty() && name[0] >= 'a' && name[0] <= 'z') name[0] = static_cast<char>(name[0] - 'a' + 'A');
    return name;
}

// The message behind a type with a form of its own in JSON.
std::string_view go_name_of(ValueKind kind) {
    switch (kind) {
        case ValueKind::time:
        case ValueKind::micro_time:
            return "Timestamp";
        case ValueKind::duration:
            return "Duration";
        case ValueKind::quantity:
            return "Quantity";
        case ValueKind::int_or_string:
            return "IntOrString";
        case ValueKind::fields_v1:
            return "FieldsV1";
        default:
            return "RawExtension";
    }
}

class Decoder {
  public:
    std::string error;

    bool message(std::string_view data, const TypeInfo& type, std::span<const WireField> wire, Json& object,
                 std::size_t depth) {
        if (depth > limits::document_depth_max) return fail("proto: nested too deeply");
        Reader reader(data, go_name_of(type));
        while (!reader.done()) {
            const auto field = reader.next();
            if (!field) return fail(reader.error());
            const auto at =
                std::lower_bound(wire.begin(), wire.end(), field->number,
                                 [](const WireField& each, std::uint32_t number) { return each.number < number; });
            if (at == wire.end() || at->number != field->number) continue;
            if (!at->embedded.empty()) {
                if (field->wire != bytes_wire) return fail("proto: wrong wireType = " + std::to_string(field->wire));
                if (!message(field->bytes, type, at->embedded, object, depth + 1)) return false;
            } else if (!member(*field, type.fields[at->field], type, object, depth)) {
                return false;
            }
        }
        return true;
    }

  private:
    bool fail(std::string text) {
        if (error.empty()) error = std::move(text);
        return false;
    }
    bool wrong_wire(const Field& field, const FieldInfo& info) {
        return fail("proto: wrong wireType = " + std::to_string(field.wire) + " for field " + go_field_name(info));
    }

    bool member(const Field& field, const FieldInfo& info, const TypeInfo& type, Json& object, std::size_t depth) {
        const std::string name(info.name);
        if (info.shape == Shape::single) return value(field, info, type, object[name], depth);
        if (info.shape == Shape::list) {
            Json& list = object[name];
            if (!list.is_array()) list = Json::array();
            if (info.wire_form == WireForm::list_message) return items(field, info, type, list, depth);
            list.push_back(nullptr);
            return value(field, info, type, list.back(), depth);
        }
        // A map is a repeated message of key (1) and value (2).
        if (field.wire != bytes_wire) return wrong_wire(field, info);
        Json& map = object[name];
        if (!map.is_object()) map = Json::object();
        Reader entry(field.bytes, go_name_of(type));
        std::string key;
        Field held;
        held.wire = wire_of(info);
        while (!entry.done()) {
            const auto part = entry.next();
            if (!part) return fail(entry.error());
            if (part->number == 1) key = mend_utf8(std::string(part->bytes));
            if (part->number == 2) held = *part;
        }
        Json& slot = map[key];
        if (info.shape == Shape::map) return value(held, info, type, slot, depth);
        slot = Json::array();
        return items(held, info, type, slot, depth);
    }

    // A list that is a message of its own: items (1).
    bool items(const Field& field, const FieldInfo& info, const TypeInfo& type, Json& list, std::size_t depth) {
        if (field.wire != bytes_wire) return wrong_wire(field, info);
        Reader reader(field.bytes, go_name_of(type));
        while (!reader.done()) {
            const auto item = reader.next();
            if (!item) return fail(reader.error());
            if (item->number != 1) continue;
            list.push_back(nullptr);
            if (!value(*item, info, type, list.back(), depth)) return false;
        }
        return true;
    }

    static WireType wire_of(const FieldInfo& info) {
        switch (info.kind) {
            case ValueKind::boolean:
            case ValueKind::int32:
            case ValueKind::int64:
                return varint_wire;
            case ValueKind::float64:
                return fixed64_wire;
            default:
                return bytes_wire;
        }
    }

    bool value(const Field& field, const FieldInfo& info, const TypeInfo& type, Json& out, std::size_t depth) {
        if (field.wire != wire_of(info)) return wrong_wire(field, info);
        switch (info.kind) {
            case ValueKind::string:
                out = mend_utf8(std::string(field.bytes));
                return true;
            case ValueKind::boolean:
                out = field.value != 0;
                return true;
            case ValueKind::int32:
                out = static_cast<std::int32_t>(static_cast<std::uint32_t>(field.value));
                return true;
            case ValueKind::int64:
                out = static_cast<std::int64_t>(field.value);
                return true;
            case ValueKind::float64: {
                double number = 0;
                std::memcpy(&number, &field.value, sizeof number);
                if (!std::isfinite(number)) return fail("json: unsupported value: " + std::to_string(number));
                out = number;
                return true;
            }
            case ValueKind::bytes:
                out = base64_encode(field.bytes);
                return true;
            case ValueKind::object:
                if (!out.is_object()) out = Json::object();
                return message(field.bytes, *info.type, info.type->wire, out, depth + 1);
            default:
                if (info.wire_form != WireForm::plain) return either(field.bytes, info.wire_form, type, out, depth);
                return special(field.bytes, info, out);
        }
    }

    // A schema, or a list or boolean in its place; `type` is the schema's. What stands here is kept as it is, so the zero
    // values that a message always has are taken out.
    bool either(std::string_view data, WireForm form, const TypeInfo& type, Json& out, std::size_t depth) {
        const std::uint32_t schema = form == WireForm::schema_or_bool ? 2 : 1;
        Json others = form == WireForm::schema_or_bool ? Json(false) : Json::array();
        Json held;
        Reader reader(data, go_name_of(type));
        while (!reader.done()) {
            const auto field = reader.next();
            if (!field) return fail(reader.error());
            if (field->number == schema) {
                held = Json::object();
                if (!message(field->bytes, type, type.wire, held, depth + 1)) return false;
                drop_zero_values(held, type);
            } else if (field->number == 1) {
                others = field->value != 0;
            } else if (field->number == 2 && form == WireForm::schema_or_names) {
                others.push_back(mend_utf8(std::string(field->bytes)));
            } else if (field->number == 2) {
                others.push_back(Json::object());
                if (!message(field->bytes, type, type.wire, others.back(), depth + 1)) return false;
                drop_zero_values(others.back(), type);
            }
        }
        // As MarshalJSON prefers: a list with items to a schema, a schema to a boolean.
        const bool list = others.is_array() && !others.empty();
        out = list || (held.is_null() && others.is_boolean()) ? std::move(others) : std::move(held);
        return true;
    }

    // Types with a form of their own in JSON.
    bool special(std::string_view data, const FieldInfo& info, Json& out) {
        std::int64_t first = 0, second = 0;
        std::string_view first_bytes, third_bytes;
        Reader reader(data, go_name_of(info.kind));
        while (!reader.done()) {
            const auto field = reader.next();
            if (!field) return fail(reader.error());
            if (field->number == 1) {
                first = static_cast<std::int64_t>(field->value);
                first_bytes = field->bytes;
            }
            if (field->number == 2) second = static_cast<std::int32_t>(field->value);
            if (field->number == 3) third_bytes = field->bytes;
        }
        switch (info.kind) {
            case ValueKind::time:
            case ValueKind::micro_time:
                return time(data.empty(), first, second, info.kind, out);
            case ValueKind::duration:
                out = scalars::format_duration(first);
                return true;
            case ValueKind::quantity: {
                if (data.empty()) return out = "0", true;
                auto canonical = scalars::quantity(first_bytes);
                if (!canonical) return fail(canonical.error().message);
                out = std::move(*canonical);
                return true;
            }
            case ValueKind::int_or_string:
                out = first == 1 ? Json(mend_utf8(std::string(third_bytes))) : Json(second);
                return true;
            default: {  // raw and fields_v1
                auto parsed = parse_json(first_bytes.empty() ? "null" : first_bytes);
                if (!parsed) return fail(parsed.error().message);
                out = std::move(*parsed);
                return true;
            }
        }
    }

    bool time(bool none, std::int64_t seconds, std::int64_t nanoseconds, ValueKind kind, Json& out) {
        // Go's zero time, and no fields at all, mean "not set".
        constexpr std::int64_t year_one = -62135596800, last_of_9999 = 253402300799;
        if (none || (seconds == year_one && (kind == ValueKind::time || nanoseconds == 0))) {
            out = nullptr;
            return true;
        }
        if (seconds > last_of_9999 || seconds < year_one || nanoseconds < 0 || nanoseconds >= 1'000'000'000) {
            return fail("Time.MarshalJSON: year outside of range [0,9999]");
        }
        const Time whole{std::chrono::seconds(seconds)};
        out = kind == ValueKind::time ? format_time(whole) : format_micro_time(whole + Duration(nanoseconds / 1000));
        return true;
    }
};

}  // namespace

Result<ProtobufBody, std::string> open_protobuf(std::string_view body) {
    if (body.empty()) return std::string("empty data");
    if (body.substr(0, protobuf_magic.size()) != protobuf_magic) {
        return std::string("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
    }
    if (body.size() == protobuf_magic.size()) return std::string("empty body");
    ProtobufBody out;
    Reader reader(body.substr(protobuf_magic.size()), "Unknown");
    while (!reader.done()) {
        const auto field = reader.next();
        if (!field) return reader.error();
        if (field->number == 1) {
            Reader meta(field->bytes, "TypeMeta");
            while (!meta.done()) {
                const auto part = meta.next();
                if (!part) return meta.error();
                if (part->number == 1) out.api_version = mend_utf8(std::string(part->bytes));
                if (part->number == 2) out.kind = mend_utf8(std::string(part->bytes));
            }
        } else if (field->number == 2) {
            out.raw = field->bytes;
        }
    }
    return out;
}

Result<Json, std::string> decode_protobuf(std::string_view message, const TypeInfo& type) {
    Json object = Json::object();
    Decoder decoder;
    if (!decoder.message(message, type, type.wire, object, 0)) return std::move(decoder.error);
    return object;
}

}  // namespace kubemu::api
