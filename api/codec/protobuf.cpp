// One generic reader over the type tables.
#include "api/codec/protobuf.h"

#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

#include "api/codec/json.h"
#include "api/values/text.h"
#include "api/values/time.h"
#include "storage/base/limits.h"

namespace kubemu::api {
namespace {

struct Field {
    std::uint32_t number = 0;
    int wire = 0;
    std::uint64_t value = 0;    // wires 0, 1 and 5
    std::string_view bytes{};   // wire 2
};

class Reader {
  public:
    explicit Reader(std::string_view data) : data_(data) {}

    bool done() const { return data_.empty(); }
    // Nothing when the bytes are no message.
    std::optional<Field> next() {
        const auto tag = varint();
        if (!tag || (*tag >> 3) == 0 || (*tag >> 3) > 0xffffffff) return std::nullopt;
        Field field;
        field.number = static_cast<std::uint32_t>(*tag >> 3);
        field.wire = static_cast<int>(*tag & 7);
        if (field.wire == 0) {
            const auto value = varint();
            if (!value) return std::nullopt;
            field.value = *value;
        } else if (field.wire == 1 || field.wire == 5) {
            const std::size_t size = field.wire == 1 ? 8 : 4;
            if (data_.size() < size) return std::nullopt;
            std::memcpy(&field.value, data_.data(), size);
            data_.remove_prefix(size);
        } else if (field.wire == 2) {
            const auto size = varint();
            if (!size || *size > data_.size()) return std::nullopt;
            field.bytes = data_.substr(0, *size);
            data_.remove_prefix(*size);
        } else {
            return std::nullopt;
        }
        return field;
    }

  private:
    std::optional<std::uint64_t> varint() {
        std::uint64_t value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            if (data_.empty()) return std::nullopt;
            const auto byte = static_cast<unsigned char>(data_[0]);
            data_.remove_prefix(1);
            value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
            if ((byte & 0x80) == 0) return value;
        }
        return std::nullopt;
    }
    std::string_view data_;
};

class Decoder {
  public:
    bool message(std::string_view data, const TypeInfo& type, Json& object, std::uint16_t parent, std::size_t depth) {
        if (depth > limits::document_depth_max) return false;
        Reader reader(data);
        while (!reader.done()) {
            const auto field = reader.next();
            if (!field) return false;
            bool embedded = false;
            for (const FieldInfo& info : type.fields) {
                // An embedded struct is a message of its own on the wire, and flat in JSON.
                if (parent == 0 && info.pb_parent != 0 && info.pb_parent == field->number && !embedded) {
                    embedded = true;
                    if (field->wire != 2 || !message(field->bytes, type, object, info.pb_parent, depth + 1)) return false;
                }
                if (info.pb_parent != parent || info.pb_number != field->number) continue;
                if (!member(*field, info, object, depth)) return false;
                break;
            }
        }
        return true;
    }

  private:
    bool member(const Field& field, const FieldInfo& info, Json& object, std::size_t depth) {
        const std::string name(info.name);
        if (info.shape == Shape::single) return value(field, info, object[name], depth);
        if (info.shape == Shape::list) {
            Json& list = object[name];
            if (!list.is_array()) list = Json::array();
            list.push_back(nullptr);
            return value(field, info, list.back(), depth);
        }
        // A map is a repeated message of key (1) and value (2).
        if (field.wire != 2) return false;
        Json& map = object[name];
        if (!map.is_object()) map = Json::object();
        Reader entry(field.bytes);
        std::string key;
        Field held;
        held.wire = 2;
        while (!entry.done()) {
            const auto part = entry.next();
            if (!part) return false;
            if (part->number == 1) key = part->bytes;
            if (part->number == 2) held = *part;
        }
        if (info.shape == Shape::map) return value(held, info, map[key], depth);
        Json& list = map[key] = Json::array();
        Reader items(held.bytes);
        while (!items.done()) {
            const auto item = items.next();
            if (!item) return false;
            list.push_back(nullptr);
            if (!value(*item, info, list.back(), depth)) return false;
        }
        return true;
    }

    bool value(const Field& field, const FieldInfo& info, Json& out, std::size_t depth) {
        switch (info.kind) {
            case ValueKind::string:
                if (field.wire != 2 || !valid_utf8(field.bytes)) return false;
                out = field.bytes;
                return true;
            case ValueKind::boolean:
                out = field.value != 0;
                return field.wire == 0;
            case ValueKind::int32:
            case ValueKind::int64:
                out = static_cast<std::int64_t>(field.value);
                return field.wire == 0;
            case ValueKind::float64: {
                double number = 0;
                std::memcpy(&number, &field.value, sizeof number);
                out = number;
                return field.wire == 1;
            }
            case ValueKind::bytes:
                out = base64_encode(field.bytes);
                return field.wire == 2;
            case ValueKind::object:
                if (!out.is_object()) out = Json::object();
                return field.wire == 2 && message(field.bytes, *info.type, out, 0, depth + 1);
            default:
                return field.wire == 2 && special(field.bytes, info.kind, out);
        }
    }

    // Types with a form of their own in JSON.
    bool special(std::string_view data, ValueKind kind, Json& out) {
        std::int64_t first = 0, second = 0;
        std::string_view first_bytes, third_bytes;
        Reader reader(data);
        while (!reader.done()) {
            const auto field = reader.next();
            if (!field) return false;
            if (field->number == 1) {
                first = static_cast<std::int64_t>(field->value);
                first_bytes = field->bytes;
            }
            if (field->number == 2) second = static_cast<std::int64_t>(field->value);
            if (field->number == 3) third_bytes = field->bytes;
        }
        switch (kind) {
            case ValueKind::time:
            case ValueKind::micro_time: {
                // Go's zero time, and no fields at all, mean "not set".
                if (data.empty() || first == -62135596800) {
                    out = nullptr;
                    return true;
                }
                if (first > 253402300799 || first < -62135596800) return false;
                const Time time = Time(std::chrono::seconds(first)) + Duration(second / 1000);
                out = kind == ValueKind::time ? format_time(time) : format_micro_time(time);
                return true;
            }
            case ValueKind::duration:
                out = std::to_string(static_cast<double>(first) / 1e9) + "s";
                return true;
            case ValueKind::quantity:
                out = first_bytes;
                return true;
            case ValueKind::int_or_string:
                out = first == 1 ? Json(third_bytes) : Json(static_cast<std::int64_t>(static_cast<std::int32_t>(second)));
                return true;
            case ValueKind::raw:
            case ValueKind::fields_v1: {
                auto parsed = parse_json(first_bytes.empty() ? "null" : first_bytes);
                if (!parsed) return false;
                out = std::move(*parsed);
                return true;
            }
            default:
                return false;
        }
    }
};

}  // namespace

Result<ProtobufBody, std::string> open_protobuf(std::string_view body) {
    constexpr std::string_view magic("k8s\0", 4);
    if (body.substr(0, 4) != magic) {
        return std::string("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
    }
    ProtobufBody out;
    Reader reader(body.substr(4));
    while (!reader.done()) {
        const auto field = reader.next();
        if (!field) return std::string("proto: unexpected EOF");
        if (field->number == 1) {
            Reader meta(field->bytes);
            while (!meta.done()) {
                const auto part = meta.next();
                if (!part) return std::string("proto: unexpected EOF");
                if (part->number == 1) out.api_version = part->bytes;
                if (part->number == 2) out.kind = part->bytes;
            }
        } else if (field->number == 2) {
            out.raw = field->bytes;
        }
    }
    return out;
}

Result<Json, std::string> decode_protobuf(std::string_view message, const TypeInfo& type) {
    Json object = Json::object();
    if (!Decoder().message(message, type, object, 0, 0)) return std::string("proto: illegal wireType or unexpected EOF");
    return object;
}

}  // namespace kubemu::api
