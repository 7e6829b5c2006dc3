// Decoding JSON along the schema, as sigs.k8s.io/json decodes into Go structs.
//
// Two kinds of errors behave differently there, and so here: a wrong type is remembered (the first one
// counts) and decoding goes on; an error of a value with its own parser (time, quantity, int-or-string) ends
// it and counts more.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "api/codec/conforming.h"
#include "api/codec/json.h"
#include "api/codec/json_syntax.h"
#include "api/codec/json_untyped.h"
#include "api/codec/scalars.h"
#include "api/schema/prune.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

using Token = JsonReader::Token;

std::string_view word_of(Token token) {
    switch (token) {
        case Token::null:
            return "null";
        case Token::boolean:
            return "bool";
        case Token::number:
            return "number";
        case Token::string:
            return "string";
        case Token::array:
            return "array";
        case Token::object:
            return "object";
    }
    return "null";
}

class Decoder {
  public:
    Decoder(std::string_view text, std::vector<std::string>* complaints)
        : reader_(text), complaints_(complaints) {}

    Result<Json, DecodeError> typed(const TypeInfo& type, std::string_view go_name) {
        Json root = Json::object();
        const Token token = reader_.peek();
        if (token == Token::object) {
            object(root, type, go_name);
        } else if (token != Token::null) {
            mismatch(token, std::string(type.name.substr(type.name.find('/') + 1)));
        }
        return finish(std::move(root));
    }

  private:
    Result<Json, DecodeError> finish(Json root) {
        if (aborted_) return DecodeError{std::move(*aborted_), false};
        if (saved_) return DecodeError{std::move(*saved_), false};
        return root;
    }

    // ------------------------------------------------------------ errors

    std::string place() const {
        if (struct_.empty() && fields_.empty()) return "Go value";
        std::string text = "Go struct field " + std::string(struct_) + ".";
        for (std::size_t i = 0; i < fields_.size(); ++i) (text += i == 0 ? "" : ".") += fields_[i];
        return text;
    }
    std::string sentence(std::string_view value, std::string_view go_type) const {
        return "json: cannot unmarshal " + std::string(value) + " into " + place() + " of type " +
               std::string(go_type);
    }
    void save(std::string message) {
        if (!saved_) saved_ = std::move(message);
    }
    // Passes over the value.
    void mismatch(Token token, std::string_view go_type) {
        save(sentence(word_of(token), go_type));
        reader_.skip();
    }
    void abort(std::string message) {
        if (!aborted_) aborted_ = std::move(message);
    }
    void complain(std::string_view what) {
        if (complaints_ != nullptr) add_complaint(*complaints_, what, path_);
    }

    // Extends the path of complaints for as long as it lives.
    class Step {
      public:
        Step(std::string& path, std::string_view key) : path_(path), size_(path.size()) {
            if (!path.empty()) path += '.';
            path += key;
        }
        Step(std::string& path, std::size_t index) : path_(path), size_(path.size()) {
            path += "[" + std::to_string(index) + "]";
        }
        ~Step() { path_.resize(size_); }
        Step(const Step&) = delete;
        Step& operator=(const Step&) = delete;

      private:
        std::string& path_;
        std::size_t size_;
    };

    // ------------------------------------------------------------ containers

    void object(Json& out, const TypeInfo& type, std::string_view go_name) {
        const std::string_view outer = struct_;
        std::vector<bool> seen(type.fields.size());
        for (reader_.begin(); !aborted_ && reader_.next();) {
            const std::string name = reader_.name();
            const Step step(path_, name);
            const FieldInfo* field = type.field(name);
            if (field == nullptr) {
                complain("unknown");
                reader_.skip();
                continue;
            }
            const auto index = static_cast<std::size_t>(field - type.fields.data());
            if (seen[index]) complain("duplicate");
            seen[index] = true;
            struct_ = go_name;
            fields_.push_back(field->name);
            owner_ = &type;
            member(out, *field);
            if (aborted_) return;
            fields_.pop_back();
            struct_ = outer;
        }
    }

    // A schema, or a list or boolean in its place: types with an UnmarshalJSON of their own, whose first error ends all,
    // and whose unknown fields nobody hears of. What is neither leaves an empty value, where it is not refused.
    bool schema_or_other(Json& out, WireForm form, Token token) {
        const TypeInfo& schema = *owner_;
        std::vector<std::string>* complaints = std::exchange(complaints_, nullptr);
        std::optional<std::string> saved = std::exchange(saved_, std::nullopt);
        bool found = true;
        if (token == Token::object) {
            out = Json::object();
            object(out, schema, go_name_of(schema));
        } else if (form == WireForm::schema_or_bool && token == Token::boolean) {
            out = reader_.skip() == "true";
        } else if (form == WireForm::schema_or_bool) {
            abort("boolean or JSON schema expected");
        } else if (token == Token::array) {
            FieldInfo items{.shape = Shape::list};
            if (form == WireForm::schema_or_list) {
                items.kind = ValueKind::object;
                items.type = &schema;
            }
            found = list(out, items, 0) && !out.empty();
        } else {
            reader_.skip();
            found = false;
        }
        if (saved_) abort(std::move(*saved_));
        saved_ = std::move(saved);
        complaints_ = complaints;
        return found && !aborted_;
    }

    void member(Json& out, const FieldInfo& field) {
        const Token token = reader_.peek();
        if (token == Token::null) {
            reader_.skip();
            out.erase(std::string(field.name));
            return;
        }
        Json made;
        switch (field.shape) {
            case Shape::single:
                if (single(made, field, go_type_of_value(field, 0)))
                    out[std::string(field.name)] = std::move(made);
                return;
            case Shape::list:
                if (list(made, field, 0)) out[std::string(field.name)] = std::move(made);
                return;
            case Shape::map:
            case Shape::map_of_lists:
                if (map(made, field)) out[std::string(field.name)] = std::move(made);
                return;
        }
    }

    bool list(Json& out, const FieldInfo& field, int depth) {
        if (reader_.peek() != Token::array) {
            mismatch(reader_.peek(), go_type_of_value(field, depth));
            return false;
        }
        const Type item_type = go_type_of_value(field, depth + 1);
        out = Json::array();
        for (reader_.begin(); !aborted_ && reader_.next();) {
            const Step step(path_, out.size());
            Json item;
            if (!single(item, field, item_type)) item = zero(field);
            out.push_back(std::move(item));
        }
        return true;
    }

    bool map(Json& out, const FieldInfo& field) {
        if (reader_.peek() != Token::object) {
            mismatch(reader_.peek(), go_type_of_value(field, 0));
            return false;
        }
        const Type item_type = go_type_of_value(field, 1);
        out = Json::object();
        for (reader_.begin(); !aborted_ && reader_.next();) {
            std::string name = reader_.name();
            const Step step(path_, name);
            if (out.contains(name)) complain("duplicate");
            Json item;
            if (field.shape == Shape::map_of_lists) {
                if (reader_.peek() == Token::null) {
                    reader_.skip();
                    item = Json::array();
                } else if (!list(item, field, 1)) {
                    continue;
                }
            } else if (!single(item, field, item_type)) {
                item = zero(field);
            }
            out[std::move(name)] = std::move(item);
        }
        return true;
    }

    // What a null or a value of a wrong type leaves in a list or map.
    static Json zero(const FieldInfo& field) {
        switch (field.kind) {
            case ValueKind::object:
                return Json::object();
            case ValueKind::boolean:
                return false;
            case ValueKind::int32:
            case ValueKind::int64:
            case ValueKind::int_or_string:
            case ValueKind::float64:
                return 0;
            case ValueKind::quantity:
                return "0";
            case ValueKind::duration:
                return "0s";
            case ValueKind::raw:
            case ValueKind::fields_v1:
            case ValueKind::time:
            case ValueKind::micro_time:
                return nullptr;
            case ValueKind::string:
            case ValueKind::bytes:
                return "";
        }
        return nullptr;
    }

    // ------------------------------------------------------------ values

    // Go's name of a type, worked out only when a message needs it.
    struct Type {
        const FieldInfo& field;
        int depth;  // 0: the field itself, 1: its items or values, 2: items of its values
        operator std::string() const {
            std::string text = go_type_of(field);
            for (int i = 0; i < depth; ++i) {
                if (text.rfind("[]", 0) == 0) {
                    text.erase(0, 2);
                } else if (text.rfind("map[", 0) == 0) {
                    text.erase(0, text.find(']') + 1);
                } else {  // a named list or map, such as v1.ResourceList
                    FieldInfo item{.kind = field.kind};
                    item.type = field.type;
                    return go_type_of(item);
                }
            }
            return text;
        }
    };
    static Type go_type_of_value(const FieldInfo& field, int depth) { return {field, depth}; }

    void mismatch(Token token, const Type& type) { mismatch(token, std::string_view(std::string(type))); }

    // Go takes bytes one by one, too.
    bool byte_list(Json& out) {
        std::string bytes;
        for (reader_.begin(); !aborted_ && reader_.next();) {
            Json item = 0;
            if (reader_.peek() == Token::null) reader_.skip();
            else if (reader_.peek() != Token::number) mismatch(reader_.peek(), std::string_view("uint8"));
            else integer(item, true, "uint8", false);
            bytes += static_cast<char>(item.is_number() ? item.get<int>() : 0);
        }
        out = base64_encode(bytes);
        return true;
    }

    // False when there is no value: null, or a wrong type.
    bool single(Json& out, const FieldInfo& field, const Type& type) {
        const Token token = reader_.peek();
        if (token == Token::null) {
            reader_.skip();
            return false;
        }
        switch (field.kind) {
            case ValueKind::string:
                if (token != Token::string) break;
                out = reader_.string();
                return true;
            case ValueKind::boolean:
                if (token != Token::boolean) break;
                out = reader_.skip() == "true";
                return true;
            case ValueKind::int32:
            case ValueKind::int64:
                if (token != Token::number) break;
                return integer(out, field.kind == ValueKind::int32, std::string(type), false);
            case ValueKind::float64:
                if (token != Token::number) break;
                return real(out);
            case ValueKind::bytes:
                if (token == Token::array) return byte_list(out);
                if (token != Token::string) break;
                if (auto text = scalars::base64(reader_.string())) {
                    out = std::move(*text);
                    return true;
                } else {
                    save(text.error().message);
                    return false;
                }
            case ValueKind::object:
                if (token != Token::object) break;
                out = Json::object();
                object(out, *field.type, go_name_of(*field.type));
                return true;
            case ValueKind::time:
            case ValueKind::micro_time:
            case ValueKind::duration:
                return timed(out, field.kind, token);
            case ValueKind::quantity:
                return quantity(out, token);
            case ValueKind::int_or_string:
                if (token == Token::string) {
                    out = reader_.string();
                    return true;
                }
                if (token == Token::number) return integer(out, true, "int32", true);
                abort(sentence(word_of(token), "int32"));
                return false;
            case ValueKind::raw:
                if (field.wire_form != WireForm::plain) return schema_or_other(out, field.wire_form, token);
                out = UntypedDecoder(reader_.skip(), nullptr).value();
                return true;
            case ValueKind::fields_v1:
                out = UntypedDecoder(reader_.skip(), nullptr).value();
                return true;
        }
        mismatch(token, type);
        return false;
    }

    bool integer(Json& out, bool narrow, std::string_view go_type, bool own_parser) {
        const std::string_view text = reader_.skip();
        std::int64_t value = 0;
        if (!parse_integer(text, value) || (narrow && (value > INT32_MAX || value < INT32_MIN))) {
            std::string message = sentence("number " + std::string(text), go_type);
            if (own_parser) {
                abort(std::move(message));
            } else {
                save(std::move(message));
            }
            return false;
        }
        out = value;
        return true;
    }

    bool real(Json& out) {
        const std::string_view text = reader_.skip();
        double value = 0;
        if (!parse_float(text, value)) {
            save(sentence("number " + std::string(text), "float64"));
            return false;
        }
        out = value;
        return true;
    }

    bool accept(Json& out, scalars::Canonical text) {
        if (!text) {
            abort(std::move(text).error().message);
            return false;
        }
        out = std::move(*text);
        return true;
    }

    bool timed(Json& out, ValueKind kind, Token token) {
        if (token != Token::string) {
            abort(sentence(word_of(token), "string"));
            return false;
        }
        const std::string text = reader_.string();
        if (kind == ValueKind::duration) return accept(out, scalars::duration(text));
        return accept(out, kind == ValueKind::time ? scalars::time(text) : scalars::micro_time(text));
    }

    bool quantity(Json& out, Token token) {
        std::string text = token == Token::string ? reader_.string() : std::string(reader_.skip());
        return accept(out, scalars::quantity(trim(text)));
    }

    JsonReader reader_;
    std::vector<std::string>* complaints_;
    const TypeInfo* owner_ = nullptr;       // the innermost struct
    std::string_view struct_;               // Go name of the innermost struct
    std::vector<std::string_view> fields_;  // JSON names from the root, without indexes and map keys
    std::string path_;                      // with them
    std::optional<std::string> saved_, aborted_;
};

}  // namespace

namespace {

Result<Json, DecodeError> untyped(std::string_view text, std::vector<std::string>* complaints) {
    UntypedDecoder decoder(text, complaints);
    Json document = decoder.value();
    if (decoder.error()) return DecodeError{*decoder.error(), false};
    return document;
}

Result<bool, DecodeError> conform_custom(Json& object, const TypeInfo& type, std::vector<std::string>& complaints) {
    if (!object.is_object()) object = Json::object();
    if (auto coerced = structural::coerce(object, *type.structural, complaints); !coerced) {
        return DecodeError{std::move(coerced).error().message, false};
    }
    return true;
}

}  // namespace

Result<Json, DecodeError> decode_json(std::string_view text, const TypeInfo& type,
                                      std::vector<std::string>& complaints) {
    if (auto error = json_syntax_error(text)) return DecodeError{std::move(*error), true};
    if (type.structural != nullptr) {
        TRY_ASSIGN(Json object, untyped(text, &complaints));
        TRY(conform_custom(object, type, complaints));
        return object;
    }
    return Decoder(text, &complaints).typed(type, go_name_of(type));
}

Result<Json, DecodeError> parse_json(std::string_view text, std::vector<std::string>* duplicates) {
    if (auto error = json_syntax_error(text)) return DecodeError{std::move(*error), true};
    return untyped(text, duplicates);
}

Json parse_stored_json(std::string_view text) {
    UntypedDecoder decoder(text, nullptr);
    Json document = decoder.value();
    if (decoder.error()) return Json();
    return document;
}

Result<bool, DecodeError> conform(Json& object, const TypeInfo& type, std::string_view go_type,
                                  std::vector<std::string>& complaints) {
    if (type.structural != nullptr) return conform_custom(object, type, complaints);
    if (is_conforming(object, type)) return true;
    const std::string text = encode_raw(object);
    auto decoded = Decoder(text, &complaints).typed(type, go_type);
    if (!decoded) return std::move(decoded).error();
    object = std::move(*decoded);
    return true;
}

Result<TypeMeta, DecodeError> read_type_meta(std::string_view text) {
    if (auto error = json_syntax_error(text)) return DecodeError{std::move(*error), true};
    JsonReader reader(text);
    TypeMeta meta;
    if (reader.peek() == Token::null) return meta;
    if (reader.peek() != Token::object) {
        return DecodeError{
            "json: cannot unmarshal " + std::string(word_of(reader.peek())) +
                " into Go value of type struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; "
                "Kind string \"json:\\\"kind,omitempty\\\"\" }",
            true};
    }
    std::optional<DecodeError> error;
    for (reader.begin(); reader.next();) {
        const std::string name = lower(reader.name());
        std::string* target = name == "kind"         ? &meta.kind
                              : name == "apiversion" ? &meta.api_version
                                                     : nullptr;
        const Token token = reader.peek();
        if (target != nullptr && token == Token::string) {
            *target = reader.string();
            continue;
        }
        reader.skip();
        if (target == nullptr || token == Token::null || error) continue;
        error =
            DecodeError{"json: cannot unmarshal " + std::string(word_of(token)) + " into Go struct field ." +
                            (name == "kind" ? "kind" : "apiVersion") + " of type string",
                        true};
    }
    if (error) return std::move(*error);
    return meta;
}

std::string summarize_body(std::string_view body) {
    constexpr std::size_t shown_bytes = 30;
    if (body.empty()) return "<empty>";
    const std::string_view shown = body.substr(0, shown_bytes);
    std::string out;
    if (body[0] == '{') {
        out = shown;
    } else {
        for (const char c : shown) {
            constexpr std::string_view digits = "0123456789abcdef";
            out += digits[static_cast<unsigned char>(c) >> 4];
            out += digits[static_cast<unsigned char>(c) & 0xF];
        }
    }
    return body.size() > shown_bytes ? out + " ..." : out;
}

}  // namespace kubemu::api
