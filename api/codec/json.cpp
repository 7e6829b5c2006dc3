// Decoding and encoding of JSON along the schema.
#include "api/codec/json.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "api/values/quantity.h"
#include "api/values/text.h"
#include "api/values/time.h"
#include "storage/base/limits.h"

namespace kubemu::api {
namespace {

// Builds a document while noting repeated members and refusing what is nested too deep.
class Builder : public nlohmann::json_sax<Json> {
  public:
    explicit Builder(std::vector<std::string>* duplicates) : duplicates_(duplicates) {}

    bool null() override { return add(nullptr); }
    bool boolean(bool value) override { return add(value); }
    bool number_integer(number_integer_t value) override { return add(value); }
    bool number_unsigned(number_unsigned_t value) override {
        if (value <= static_cast<number_unsigned_t>(INT64_MAX)) return add(static_cast<std::int64_t>(value));
        return add(value);
    }
    bool number_float(number_float_t value, const string_t&) override { return add(value); }
    bool string(string_t& value) override { return add(std::move(value)); }
    bool binary(binary_t&) override { return false; }
    bool start_object(std::size_t) override { return open(Json::object()); }
    bool key(string_t& name) override {
        Frame& frame = frames_.back();
        if (duplicates_ != nullptr && frame.value->contains(name)) {
            duplicates_->push_back("duplicate field " + go_quote(path() + (path().empty() ? "" : ".") + name));
        }
        frame.key = std::move(name);
        return true;
    }
    bool end_object() override { return close(); }
    bool start_array(std::size_t) override { return open(Json::array()); }
    bool end_array() override { return close(); }
    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
        position_ = position;
        error_ = error.what();
        return false;
    }

    Json root;
    std::string error_;
    std::size_t position_ = 0;
    bool too_deep = false;

  private:
    struct Frame {
        Json* value;
        std::string key;
    };

    template <class Value>
    Json* place(Value&& value) {
        if (frames_.empty()) {
            root = std::forward<Value>(value);
            return &root;
        }
        Frame& frame = frames_.back();
        if (frame.value->is_array()) {
            frame.value->push_back(std::forward<Value>(value));
            return &frame.value->back();
        }
        Json& slot = (*frame.value)[frame.key];
        slot = std::forward<Value>(value);
        return &slot;
    }
    template <class Value>
    bool add(Value&& value) {
        place(std::forward<Value>(value));
        return true;
    }
    bool open(Json container) {
        if (frames_.size() >= limits::document_depth_max) {
            too_deep = true;
            return false;
        }
        frames_.push_back({place(std::move(container)), {}});
        return true;
    }
    bool close() {
        frames_.pop_back();
        return true;
    }
    std::string path() const {
        std::string text;
        for (std::size_t i = 0; i + 1 < frames_.size(); ++i) {
            const Frame& frame = frames_[i];
            if (frame.value->is_array()) {
                text += "[" + std::to_string(frame.value->size() - 1) + "]";
            } else {
                if (!text.empty()) text += ".";
                text += frame.key;
            }
        }
        return text;
    }

    std::vector<std::string>* duplicates_;
    std::vector<Frame> frames_;
};

// encoding/json's words for a syntax error at a byte.
std::string syntax_message(std::string_view text, std::size_t position) {
    if (trim(text).empty() || position > text.size()) return "unexpected end of JSON input";
    const std::size_t at = position == 0 ? 0 : position - 1;
    if (at >= text.size()) return "unexpected end of JSON input";
    const char c = text[at];
    std::string shown(1, c);
    if (c == '\'') shown = "\\'";
    if (static_cast<unsigned char>(c) < 0x20) {
        const std::string escaped = go_quote(shown);
        shown = escaped.substr(1, escaped.size() - 2);
    }
    std::size_t before = at;
    while (before > 0 && (text[before - 1] == ' ' || text[before - 1] == '\n' || text[before - 1] == '\t')) --before;
    std::string where = "looking for beginning of value";
    if (before > 0) {
        const char last = text[before - 1];
        if (last == '{') where = "looking for beginning of object key string";
        else if (last == '"' || last == '}' || last == ']' || (last >= '0' && last <= '9')) where = "after object key:value pair";
        else if (last == ',') where = "looking for beginning of object key string";
        if (before == at && trim(text.substr(0, at)).size() > 0 && (last == '}' || last == ']')) where = "after top-level value";
    }
    return "invalid character '" + shown + "' " + where;
}

std::string_view go_kind(const Json& value) {
    if (value.is_string()) return "string";
    if (value.is_boolean()) return "bool";
    if (value.is_number()) return "number";
    if (value.is_array()) return "array";
    if (value.is_object()) return "object";
    return "null";
}

std::string short_type(const TypeInfo& type) {
    // "core/v1.PodSpec" is v1.PodSpec in Go.
    return std::string(type.name.substr(type.name.find('/') + 1));
}

std::string go_element(const FieldInfo& field) {
    switch (field.kind) {
        case ValueKind::string: return "string";
        case ValueKind::boolean: return "bool";
        case ValueKind::int32: return "int32";
        case ValueKind::int64: return "int64";
        case ValueKind::float64: return "float64";
        case ValueKind::bytes: return "[]uint8";
        case ValueKind::object: return short_type(*field.type);
        case ValueKind::time: return "v1.Time";
        case ValueKind::micro_time: return "v1.MicroTime";
        case ValueKind::duration: return "v1.Duration";
        case ValueKind::quantity: return "resource.Quantity";
        case ValueKind::int_or_string: return "intstr.IntOrString";
        case ValueKind::raw: return "runtime.RawExtension";
        case ValueKind::fields_v1: return "v1.FieldsV1";
    }
    return "string";
}

std::string go_container(const FieldInfo& field) {
    switch (field.shape) {
        case Shape::single: return go_element(field);
        case Shape::list: return "[]" + go_element(field);
        case Shape::map: return "map[string]" + go_element(field);
        case Shape::map_of_lists: return "map[string][]" + go_element(field);
    }
    return go_element(field);
}

class Conformer {
  public:
    explicit Conformer(std::vector<std::string>& complaints) : complaints_(complaints) {}

    // False when `error` was set.
    bool object(Json& value, const TypeInfo& type, std::string_view go_type, const std::string& path) {
        for (auto at = value.begin(); at != value.end();) {
            const FieldInfo* field = type.field(at.key());
            if (field == nullptr) {
                const bool type_meta = path.empty() && (at.key() == "kind" || at.key() == "apiVersion");
                if (type_meta) {
                    if (!at->is_string() && !at->is_null()) return mismatch(*at, go_type, at.key(), "string");
                    ++at;
                    continue;
                }
                complaints_.push_back("unknown field " + go_quote(path.empty() ? at.key() : path + "." + at.key()));
                at = value.erase(at);
                continue;
            }
            if (at->is_null()) {
                at = value.erase(at);
                continue;
            }
            const std::string where = path.empty() ? at.key() : path + "." + at.key();
            if (!member(*at, *field, go_type, where)) return false;
            ++at;
        }
        return true;
    }

    DecodeError error;

  private:
    bool mismatch(const Json& value, std::string_view go_type, std::string_view path, std::string_view wanted) {
        // encoding/json names the path of the struct members without indexes.
        std::string plain;
        bool skipping = false;
        for (const char c : path) {
            if (c == '[') skipping = true;
            if (!skipping) plain += c;
            if (c == ']') skipping = false;
        }
        error.message = "json: cannot unmarshal " + std::string(go_kind(value)) + " into Go struct field " + std::string(go_type) +
                        "." + plain + " of type " + std::string(wanted);
        return false;
    }

    bool member(Json& value, const FieldInfo& field, std::string_view go_type, const std::string& path) {
        switch (field.shape) {
            case Shape::single:
                return scalar(value, field, go_type, path);
            case Shape::list:
                return list(value, field, go_type, path);
            case Shape::map:
            case Shape::map_of_lists:
                if (!value.is_object()) return mismatch(value, go_type, path, go_container(field));
                for (auto at = value.begin(); at != value.end(); ++at) {
                    const std::string where = path + "." + at.key();
                    if (field.shape == Shape::map_of_lists) {
                        if (!list(*at, field, go_type, where)) return false;
                    } else if (at->is_null()) {
                        *at = field.kind == ValueKind::object ? Json::object() : Json("");
                    } else if (!scalar(*at, field, go_type, path)) {
                        return false;
                    }
                }
                return true;
        }
        return true;
    }

    bool list(Json& value, const FieldInfo& field, std::string_view go_type, const std::string& path) {
        if (!value.is_array()) return mismatch(value, go_type, path, go_container(field));
        for (std::size_t i = 0; i < value.size(); ++i) {
            if (value[i].is_null()) {
                if (field.kind == ValueKind::object) value[i] = Json::object();
                else if (field.kind == ValueKind::string) value[i] = "";
            }
            if (!value[i].is_null() && !scalar(value[i], field, go_type, path + "[" + std::to_string(i) + "]")) return false;
        }
        return true;
    }

    bool scalar(Json& value, const FieldInfo& field, std::string_view go_type, const std::string& path) {
        switch (field.kind) {
            case ValueKind::string:
            case ValueKind::duration:
                return value.is_string() || mismatch(value, go_type, path, go_element(field));
            case ValueKind::boolean:
                return value.is_boolean() || mismatch(value, go_type, path, "bool");
            case ValueKind::int32:
            case ValueKind::int64:
                return integer(value, field, go_type, path);
            case ValueKind::float64:
                return value.is_number() || mismatch(value, go_type, path, "float64");
            case ValueKind::bytes:
                return bytes(value, go_type, path);
            case ValueKind::object:
                if (!value.is_object()) return mismatch(value, go_type, path, short_type(*field.type));
                return object(value, *field.type, field.type->name.substr(field.type->name.rfind('.') + 1), path);
            case ValueKind::time:
            case ValueKind::micro_time:
                return time(value, field, go_type, path);
            case ValueKind::quantity:
                return quantity(value);
            case ValueKind::int_or_string:
                return value.is_string() || value.is_number_integer() || mismatch(value, go_type, path, "intstr.IntOrString");
            case ValueKind::raw:
            case ValueKind::fields_v1:
                return true;
        }
        return true;
    }

    bool integer(Json& value, const FieldInfo& field, std::string_view go_type, const std::string& path) {
        const std::string_view wanted = field.kind == ValueKind::int32 ? "int32" : "int64";
        if (value.is_number_float()) {
            const double number = value.get<double>();
            if (number == std::floor(number) && std::abs(number) < 9e15) {
                value = static_cast<std::int64_t>(number);
            } else {
                error.message = "json: cannot unmarshal number " + value.dump() + " into Go struct field " +
                                std::string(go_type) + "." + path + " of type " + std::string(wanted);
                return false;
            }
        }
        if (!value.is_number_integer()) return mismatch(value, go_type, path, wanted);
        const bool too_large = value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX;
        const std::int64_t number = too_large ? 0 : value.get<std::int64_t>();
        if (too_large || (field.kind == ValueKind::int32 && (number > INT32_MAX || number < INT32_MIN))) {
            error.message = "json: cannot unmarshal number " + value.dump() + " into Go struct field " + std::string(go_type) +
                            "." + path + " of type " + std::string(wanted);
            return false;
        }
        return true;
    }

    bool bytes(const Json& value, std::string_view go_type, const std::string& path) {
        if (!value.is_string()) return mismatch(value, go_type, path, "[]uint8");
        const auto& text = value.get_ref<const std::string&>();
        std::string ignored;
        if (base64_decode(text, ignored)) return true;
        std::size_t at = 0;
        while (at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) || text[at] == '+' || text[at] == '/')) ++at;
        error.message = "illegal base64 data at input byte " + std::to_string(at == text.size() ? text.size() / 4 * 4 : at);
        return false;
    }

    bool time(Json& value, const FieldInfo& field, std::string_view go_type, const std::string& path) {
        if (!value.is_string()) return mismatch(value, go_type, path, go_element(field));
        const auto& text = value.get_ref<const std::string&>();
        const auto parsed = parse_time(text);
        if (!parsed) {
            error.message = "parsing time " + go_quote(text) + " as \"2006-01-02T15:04:05Z07:00\": cannot parse " + go_quote(text) +
                            " as \"2006\"";
            return false;
        }
        value = field.kind == ValueKind::time ? format_time(*parsed) : format_micro_time(*parsed);
        return true;
    }

    bool quantity(Json& value) {
        const std::string text = value.is_string() ? value.get<std::string>() : value.is_number() ? value.dump() : "";
        auto canonical = canonical_quantity(text);
        if (!canonical) {
            error.message = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
            return false;
        }
        value = std::move(*canonical);
        return true;
    }

    std::vector<std::string>& complaints_;
};

// ---------------------------------------------------------------- encoding

void append_number(std::string& out, const Json& value) {
    if (value.is_number_float()) {
        const double number = value.get<double>();
        if (number == std::floor(number) && std::abs(number) < 1e15) {
            out += std::to_string(static_cast<std::int64_t>(number));
            return;
        }
    }
    out += value.dump();
}

class Encoder {
  public:
    std::string out;
    std::size_t revision_at = std::string::npos;

    void members(const Json& object, const TypeInfo& type, bool metadata) {
        for (const FieldInfo& field : type.fields) {
            if (metadata && field.name == "resourceVersion") {
                key(field.name);
                out += "\"\"";
                revision_at = out.size() - 1;
                continue;
            }
            const auto at = object.find(field.name);
            const bool absent = at == object.end() || at->is_null();
            if (absent) {
                // Times are structs in Go, which omitempty does not leave out; neither does it other structs.
                const bool time = (field.kind == ValueKind::time || field.kind == ValueKind::micro_time) && !field.pointer &&
                                  field.shape == Shape::single;
                if (!field.omitempty || time || field_is_struct(field)) empty(field);
                continue;
            }
            if (field.omitempty && !field.pointer && is_empty(*at, field)) continue;
            key(field.name);
            value(*at, field, metadata_);
        }
    }

    // The member that holds a stored object's metadata has the place of the revision.
    void object_members(const Json& object, const TypeInfo& type) {
        for (const FieldInfo& field : type.fields) {
            if (field.name != "metadata") continue;
            key("metadata");
            out += '{';
            const Json* metadata = find(object, "metadata");
            members(metadata != nullptr ? *metadata : Json::object(), *field.type, true);
            out += '}';
        }
        for (const FieldInfo& field : type.fields) {
            if (field.name == "metadata") continue;
            const auto at = object.find(field.name);
            if (at == object.end() || at->is_null()) {
                if (!field.omitempty || field_is_struct(field)) empty(field);
                continue;
            }
            if (field.omitempty && !field.pointer && !field_is_struct(field) && is_empty(*at, field)) continue;
            key(field.name);
            value(*at, field, false);
        }
    }

    void value(const Json& value, const FieldInfo& field, bool) {
        if (field.type == nullptr) return append_raw(out, value);
        switch (field.shape) {
            case Shape::single:
                return object(value, *field.type);
            case Shape::list: {
                out += '[';
                bool first = true;
                for (const Json& item : value) {
                    if (!first) out += ',';
                    first = false;
                    object(item, *field.type);
                }
                out += ']';
                return;
            }
            case Shape::map:
            case Shape::map_of_lists: {
                out += '{';
                for (const auto& [name, item] : value.items()) {
                    key(name);
                    object(item, *field.type);
                }
                out += '}';
                return;
            }
        }
    }

    void object(const Json& value, const TypeInfo& type) {
        if (!value.is_object()) return append_raw(out, value);
        out += '{';
        members(value, type, false);
        out += '}';
    }

    void key(std::string_view name) {
        if (out.back() != '{') out += ',';
        append_json_string(out, name);
        out += ':';
    }

  private:
    // A Go struct that is no pointer is written even when it is empty.
    static bool field_is_struct(const FieldInfo& field) {
        return field.kind == ValueKind::object && field.shape == Shape::single && !field.pointer;
    }

    static bool is_empty(const Json& value, const FieldInfo& field) {
        if (field_is_struct(field)) return false;
        if (value.is_string()) return value.get_ref<const std::string&>().empty();
        if (value.is_array() || value.is_object()) return value.empty() && field.kind != ValueKind::raw;
        if (value.is_boolean()) return !value.get<bool>();
        if (value.is_number_integer()) return value.get<std::int64_t>() == 0 && field.kind != ValueKind::int_or_string;
        return false;
    }

    void empty(const FieldInfo& field) {
        if (field.pointer) {
            key(field.name);
            out += "null";
            return;
        }
        key(field.name);
        if (field.shape != Shape::single) {
            out += "null";
            return;
        }
        switch (field.kind) {
            case ValueKind::string:
            case ValueKind::quantity:
            case ValueKind::duration:
                out += field.kind == ValueKind::quantity ? "\"0\"" : field.kind == ValueKind::duration ? "\"0s\"" : "\"\"";
                break;
            case ValueKind::boolean:
                out += "false";
                break;
            case ValueKind::int32:
            case ValueKind::int64:
            case ValueKind::float64:
            case ValueKind::int_or_string:
                out += '0';
                break;
            case ValueKind::object:
                out += '{';
                members(Json::object(), *field.type, false);
                out += '}';
                break;
            default:
                out += "null";
        }
    }

    bool metadata_ = false;
};

}  // namespace

Result<Json, DecodeError> parse_json(std::string_view text, std::vector<std::string>* duplicates) {
    Builder builder(duplicates);
    if (!valid_utf8(text)) {
        // encoding/json replaces what is no UTF-8; such bytes are only met inside strings.
        std::string mended;
        for (std::size_t i = 0; i < text.size();) {
            std::size_t length = 1;
            while (length < 4 && i + length <= text.size() && !valid_utf8(text.substr(i, length))) ++length;
            if (i + length <= text.size() && valid_utf8(text.substr(i, length))) {
                mended += text.substr(i, length);
                i += length;
            } else {
                mended += "\xef\xbf\xbd";
                ++i;
            }
        }
        return parse_json(mended, duplicates);
    }
    if (!Json::sax_parse(text.begin(), text.end(), &builder)) {
        if (builder.too_deep) return DecodeError{"exceeded max depth", true};
        return DecodeError{syntax_message(text, builder.position_), true};
    }
    return std::move(builder.root);
}

Result<bool, DecodeError> conform(Json& object, const TypeInfo& type, std::string_view go_type, std::vector<std::string>& complaints) {
    Conformer conformer(complaints);
    if (!object.is_object()) {
        return DecodeError{"json: cannot unmarshal " + std::string(go_kind(object)) + " into Go value of type " + short_type(type), false};
    }
    if (!conformer.object(object, type, go_type, "")) return conformer.error;
    return true;
}

Encoded encode_object(const Json& object, const TypeInfo& type, std::string_view api_version, std::string_view kind) {
    Encoder encoder;
    encoder.out.reserve(1024);
    encoder.out = "{\"kind\":";
    append_json_string(encoder.out, kind);
    encoder.out += ",\"apiVersion\":";
    append_json_string(encoder.out, api_version);
    const std::size_t body_at = encoder.out.size() + 1;
    encoder.object_members(object, type);
    encoder.out += '}';
    return {std::move(encoder.out), encoder.revision_at, body_at};
}

std::string encode_value(const Json& object, const TypeInfo& type) {
    Encoder encoder;
    encoder.object(object, type);
    return std::move(encoder.out);
}

void append_raw(std::string& out, const Json& document) {
    switch (document.type()) {
        case Json::value_t::object: {
            out += '{';
            bool first = true;
            for (const auto& [name, value] : document.items()) {
                if (!first) out += ',';
                first = false;
                append_json_string(out, name);
                out += ':';
                append_raw(out, value);
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
        case Json::value_t::number_integer:
        case Json::value_t::number_unsigned:
            return append_number(out, document);
        default:
            out += document.dump();
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
