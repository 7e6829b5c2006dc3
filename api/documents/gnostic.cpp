// Field numbers are those of gnostic's openapiv2/OpenAPIv2.proto; only what the documents hold is written.
#include "api/documents/gnostic.h"

#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>

#include "api/codec/yaml.h"

namespace kubemu::api {
namespace {

class Message {
  public:
    void text(int field, std::string_view value) {
        if (!value.empty()) bytes(field, value);
    }
    void text(int field, const Json& object, const char* member) { text(field, string_at(object, {member})); }
    void boolean(int field, bool value) {
        if (!value) return;
        varint(static_cast<std::uint64_t>(field) << 3);
        varint(1);
    }
    void message(int field, const Message& value) { bytes(field, value.out_); }
    void strings(int field, const Json& list) {
        for (const Json& item : list) bytes(field, item.get<std::string>());
    }
    const std::string& out() const { return out_; }

  private:
    void bytes(int field, std::string_view value) {
        varint(static_cast<std::uint64_t>(field) << 3 | 2);
        varint(value.size());
        out_ += value;
    }
    void varint(std::uint64_t value) {
        while (value >= 0x80) {
            out_ += static_cast<char>(value | 0x80);
            value >>= 7;
        }
        out_ += static_cast<char>(value);
    }
    std::string out_;
};

// Any: 2 is the value as YAML text.
Message any(const Json& value) {
    Message out;
    out.text(2, encode_yaml(value));
    return out;
}

void extensions(Message& out, int field, const Json& object) {
    for (const auto& [name, value] : object.items()) {
        if (name.substr(0, 2) != "x-") continue;
        Message named;
        named.text(1, name);
        named.message(2, any(value));
        out.message(field, named);
    }
}

Message schema(const Json& object);

// SchemaItem / AdditionalPropertiesItem with a schema inside.
Message wrapped(const Json& object) {
    Message out;
    out.message(1, schema(object));
    return out;
}

Message schema(const Json& object) {
    Message out;
    out.text(1, object, "$ref");
    out.text(2, object, "format");
    out.text(4, object, "description");
    if (const Json* value = find(object, "default")) out.message(5, any(*value));
    out.strings(19, array_at(object, {"required"}));
    for (const Json& value : array_at(object, {"enum"})) out.message(20, any(value));
    if (const Json* additional = find(object, "additionalProperties")) out.message(21, wrapped(*additional));
    if (const Json* type = find(object, "type")) {
        Message types;
        types.text(1, type->get<std::string>());
        out.message(22, types);
    }
    if (const Json* items = find(object, "items")) out.message(23, wrapped(*items));
    if (const Json* properties = find(object, "properties")) {
        Message all;
        for (const auto& [name, property] : properties->items()) {
            Message named;
            named.text(1, name);
            named.message(2, schema(property));
            all.message(1, named);
        }
        out.message(25, all);
    }
    extensions(out, 31, object);
    return out;
}

Message body_parameter(const Json& object) {
    Message out;
    out.text(1, object, "description");
    out.text(2, object, "name");
    out.text(3, object, "in");
    out.boolean(4, bool_at(object, {"required"}));
    out.message(5, schema(object_at(object, {"schema"})));
    return out;
}

// Query and path parameters have the same members with other numbers.
Message query_parameter(const Json& object) {
    Message out;
    out.boolean(1, bool_at(object, {"required"}));
    out.text(2, object, "in");
    out.text(3, object, "description");
    out.text(4, object, "name");
    out.text(6, object, "type");
    out.boolean(19, bool_at(object, {"uniqueItems"}));
    return out;
}

Message path_parameter(const Json& object) {
    Message out;
    out.boolean(1, bool_at(object, {"required"}));
    out.text(2, object, "in");
    out.text(3, object, "description");
    out.text(4, object, "name");
    out.text(5, object, "type");
    out.boolean(18, bool_at(object, {"uniqueItems"}));
    return out;
}

Message parameters_item(const Json& object) {
    Message parameter;
    const std::string_view in = string_at(object, {"in"});
    if (in == "body") {
        parameter.message(1, body_parameter(object));
    } else {
        Message plain;
        if (in == "path") plain.message(4, path_parameter(object));
        else plain.message(3, query_parameter(object));
        parameter.message(2, plain);
    }
    Message item;
    item.message(1, parameter);
    return item;
}

Message responses(const Json& object) {
    Message out;
    for (const auto& [code, response] : object.items()) {
        Message body;
        body.text(1, response, "description");
        if (const Json* of = find(response, "schema")) {
            Message item;
            item.message(1, schema(*of));
            body.message(2, item);
        }
        Message value;
        value.message(1, body);
        Message named;
        named.text(1, code);
        named.message(2, value);
        out.message(1, named);
    }
    return out;
}

Message operation(const Json& object) {
    Message out;
    out.strings(1, array_at(object, {"tags"}));
    out.text(3, object, "description");
    out.text(5, object, "operationId");
    out.strings(6, array_at(object, {"produces"}));
    out.strings(7, array_at(object, {"consumes"}));
    for (const Json& parameter : array_at(object, {"parameters"})) out.message(8, parameters_item(parameter));
    out.message(9, responses(object_at(object, {"responses"})));
    out.strings(10, array_at(object, {"schemes"}));
    extensions(out, 13, object);
    return out;
}

Message path_item(const Json& object) {
    Message out;
    struct Method {
        const char* name;
        int field;
    };
    for (const Method& method : {Method{"get", 2}, Method{"put", 3}, Method{"post", 4}, Method{"delete", 5}, Method{"patch", 8}}) {
        if (const Json* of = find(object, method.name)) out.message(method.field, operation(*of));
    }
    for (const Json& parameter : array_at(object, {"parameters"})) out.message(9, parameters_item(parameter));
    return out;
}

}  // namespace

std::string gnostic_document(const Json& document) {
    Message out;
    out.text(1, document, "swagger");
    Message info;
    info.text(1, std::string(string_at(document, {"info", "title"})));
    info.text(2, std::string(string_at(document, {"info", "version"})));
    out.message(2, info);
    Message paths;
    for (const auto& [path, item] : object_at(document, {"paths"}).items()) {
        Message named;
        named.text(1, path);
        named.message(2, path_item(item));
        paths.message(2, named);
    }
    out.message(8, paths);
    Message definitions;
    for (const auto& [name, definition] : object_at(document, {"definitions"}).items()) {
        Message named;
        named.text(1, name);
        named.message(2, schema(definition));
        definitions.message(1, named);
    }
    out.message(9, definitions);
    return out.out();
}

}  // namespace kubemu::api
