// openapi.v2.Document. Field numbers are those of openapiv2/OpenAPIv2.proto; what no document holds is left out.
#include "api/documents/gnostic.h"

#include <nlohmann/json.hpp>

#include "api/documents/gnostic_message.h"

namespace kubemu::api {
namespace {

using namespace gnostic;

Message schema(const Json& object);

// SchemaItem, ItemsItem and AdditionalPropertiesItem: 1 is a schema.
Message wrapped(const Json& object) {
    Message out;
    out.message(1, schema(object));
    return out;
}

void constraints(Message& out, const Json& object) {
    text(out, 3, object, "title");
    real(out, 6, object, "multipleOf");
    real(out, 7, object, "maximum");
    flag(out, 8, object, "exclusiveMaximum");
    real(out, 9, object, "minimum");
    flag(out, 10, object, "exclusiveMinimum");
    number(out, 11, object, "maxLength");
    number(out, 12, object, "minLength");
    text(out, 13, object, "pattern");
    number(out, 14, object, "maxItems");
    number(out, 15, object, "minItems");
    flag(out, 16, object, "uniqueItems");
    number(out, 17, object, "maxProperties");
    number(out, 18, object, "minProperties");
}

Message schema(const Json& object) {
    Message out;
    text(out, 1, object, "$ref");
    text(out, 2, object, "format");
    text(out, 4, object, "description");
    if (const Json* value = find(object, "default")) out.message(5, any(*value));
    constraints(out, object);
    texts(out, 19, object, "required");
    for (const Json& value : array_at(object, {"enum"})) out.message(20, any(value));
    if (const Json* additional = find(object, "additionalProperties")) {
        Message item;
        if (additional->is_boolean()) item.number(2, additional->get<bool>() ? 1 : 0);
        else item.message(1, schema(*additional));
        out.message(21, item);
    }
    if (const std::string_view type = string_at(object, {"type"}); !type.empty()) {
        Message types;
        types.text(1, type);
        out.message(22, types);
    }
    if (const Json* items = find(object, "items")) out.message(23, wrapped(*items));
    if (const Json* properties = find(object, "properties")) {
        Message all;
        for (const auto& [name, property] : properties->items()) all.message(1, named(name, schema(property)));
        out.message(25, all);
    }
    if (const Json* example = find(object, "example")) out.message(30, any(*example));
    extensions(out, 31, object);
    return out;
}

Message body_parameter(const Json& object) {
    Message out;
    text(out, 1, object, "description");
    text(out, 2, object, "name");
    text(out, 3, object, "in");
    flag(out, 4, object, "required");
    out.message(5, schema(object_at(object, {"schema"})));
    return out;
}

// PathParameterSubSchema and QueryParameterSubSchema number type and uniqueItems differently.
Message plain_parameter(const Json& object, int unique_items, int type) {
    Message out;
    flag(out, 1, object, "required");
    text(out, 2, object, "in");
    text(out, 3, object, "description");
    text(out, 4, object, "name");
    text(out, type, object, "type");
    flag(out, unique_items, object, "uniqueItems");
    return out;
}

Message parameter(const Json& object) {
    Message out;
    const std::string_view in = string_at(object, {"in"});
    if (in == "body") {
        out.message(1, body_parameter(object));
        return out;
    }
    Message plain;
    if (in == "path") plain.message(4, plain_parameter(object, 19, 5));
    else plain.message(3, plain_parameter(object, 20, 6));
    out.message(2, plain);
    return out;
}

Message parameters_item(const Json& object) {
    Message item;
    if (const std::string_view reference = string_at(object, {"$ref"}); !reference.empty()) {
        Message out;
        out.text(1, reference);
        item.message(2, out);
    } else {
        item.message(1, parameter(object));
    }
    return item;
}

Message responses(const Json& object) {
    Message out;
    for (const auto& [code, response] : object.items()) {
        Message body;
        text(body, 1, response, "description");
        if (const Json* of = find(response, "schema")) body.message(2, wrapped(*of));
        Message value;
        value.message(1, body);
        out.message(1, named(code, value));
    }
    return out;
}

Message operation(const Json& object) {
    Message out;
    texts(out, 1, object, "tags");
    text(out, 3, object, "description");
    text(out, 5, object, "operationId");
    texts(out, 6, object, "produces");
    texts(out, 7, object, "consumes");
    for (const Json& item : array_at(object, {"parameters"})) out.message(8, parameters_item(item));
    out.message(9, responses(object_at(object, {"responses"})));
    texts(out, 10, object, "schemes");
    extensions(out, 13, object);
    return out;
}

Message path_item(const Json& object) {
    Message out;
    struct Method {
        const char* name;
        int field;
    };
    for (const Method& method : {Method{"get", 2}, Method{"put", 3}, Method{"post", 4}, Method{"delete", 5},
                                 Method{"options", 6}, Method{"head", 7}, Method{"patch", 8}}) {
        if (const Json* of = find(object, method.name)) out.message(method.field, operation(*of));
    }
    for (const Json& item : array_at(object, {"parameters"})) out.message(9, parameters_item(item));
    return out;
}

void security(Message& out, const Json& document) {
    for (const Json& requirement : array_at(document, {"security"})) {
        Message of;
        for (const auto& [name, scopes] : requirement.items()) of.message(1, named(name, Message()));
        out.message(12, of);
    }
    Message schemes;
    for (const auto& [name, scheme] : object_at(document, {"securityDefinitions"}).items()) {
        Message key;
        text(key, 1, scheme, "type");
        text(key, 2, scheme, "name");
        text(key, 3, scheme, "in");
        text(key, 4, scheme, "description");
        Message item;
        item.message(2, key);  // api_key_security, the only one that is used
        schemes.message(1, named(name, item));
    }
    out.message(13, schemes);
}

}  // namespace

std::string gnostic_v2_document(const std::string& json) {
    const Json document = Json::parse(json, nullptr, false);
    Message out;
    text(out, 1, document, "swagger");
    Message info;
    info.text(1, string_at(document, {"info", "title"}));
    info.text(2, string_at(document, {"info", "version"}));
    out.message(2, info);
    Message paths;
    for (const auto& [path, item] : object_at(document, {"paths"}).items())
        paths.message(2, named(path, path_item(item)));
    out.message(8, paths);
    Message definitions;
    for (const auto& [name, definition] : object_at(document, {"definitions"}).items())
        definitions.message(1, named(name, schema(definition)));
    out.message(9, definitions);
    Message parameters;
    for (const auto& [name, of] : object_at(document, {"parameters"}).items())
        parameters.message(1, named(name, parameter(of)));
    out.message(10, parameters);
    security(out, document);
    return out.out();
}

}  // namespace kubemu::api
