// openapi.v3.Document. Field numbers are those of openapiv3/OpenAPIv3.proto; what no document holds is left out.
#include <nlohmann/json.hpp>

#include "api/documents/gnostic.h"
#include "api/documents/gnostic_message.h"

namespace kubemu::api {
namespace {

using namespace gnostic;

Message schema(const Json& object);

// SchemaOrReference.
Message schema_or_reference(const Json& object) {
    Message out;
    if (const std::string_view reference = string_at(object, {"$ref"}); !reference.empty()) {
        Message of;
        of.text(1, reference);
        out.message(2, of);
    } else {
        out.message(1, schema(object));
    }
    return out;
}

// Properties and SchemasOrReferences.
Message named_schemas(const Json& object) {
    Message out;
    for (const auto& [name, of] : object.items()) out.message(1, named(name, schema_or_reference(of)));
    return out;
}

void constraints(Message& out, const Json& object) {
    flag(out, 1, object, "nullable");
    text(out, 9, object, "title");
    real(out, 10, object, "multipleOf");
    real(out, 11, object, "maximum");
    flag(out, 12, object, "exclusiveMaximum");
    real(out, 13, object, "minimum");
    flag(out, 14, object, "exclusiveMinimum");
    number(out, 15, object, "maxLength");
    number(out, 16, object, "minLength");
    text(out, 17, object, "pattern");
    number(out, 18, object, "maxItems");
    number(out, 19, object, "minItems");
    flag(out, 20, object, "uniqueItems");
    number(out, 21, object, "maxProperties");
    number(out, 22, object, "minProperties");
}

// DefaultType: a number, a boolean or a text; any other default is there and empty.
Message default_type(const Json& value) {
    Message out;
    if (value.is_number()) out.real(1, value.get<double>());
    else if (value.is_boolean()) out.number(2, value.get<bool>() ? 1 : 0);
    else if (value.is_string()) out.bytes(3, value.get_ref<const std::string&>());
    return out;
}

Message schema(const Json& object) {
    Message out;
    constraints(out, object);
    if (const Json* example = find(object, "example")) out.message(7, any(*example));
    texts(out, 23, object, "required");
    for (const Json& value : array_at(object, {"enum"})) out.message(24, any(value));
    text(out, 25, object, "type");
    for (const Json& of : array_at(object, {"allOf"})) out.message(26, schema_or_reference(of));
    for (const Json& of : array_at(object, {"oneOf"})) out.message(27, schema_or_reference(of));
    for (const Json& of : array_at(object, {"anyOf"})) out.message(28, schema_or_reference(of));
    if (const Json* of = find(object, "not")) out.message(29, schema(*of));
    if (const Json* items = find(object, "items")) {
        Message item;
        item.message(1, schema_or_reference(*items));
        out.message(30, item);
    }
    if (const Json* properties = find(object, "properties")) out.message(31, named_schemas(*properties));
    if (const Json* additional = find(object, "additionalProperties")) {
        Message item;
        if (additional->is_boolean()) item.number(2, additional->get<bool>() ? 1 : 0);
        else item.message(1, schema_or_reference(*additional));
        out.message(32, item);
    }
    if (const Json* value = find(object, "default")) out.message(33, default_type(*value));
    text(out, 34, object, "description");
    text(out, 35, object, "format");
    extensions(out, 36, object);
    return out;
}

// MediaTypes.
Message content(const Json& object) {
    Message out;
    for (const auto& [type, of] : object.items()) {
        Message media;
        if (const Json* schema = find(of, "schema")) media.message(1, schema_or_reference(*schema));
        out.message(1, named(type, media));
    }
    return out;
}

Message parameter(const Json& object) {
    Message of;
    text(of, 1, object, "name");
    text(of, 2, object, "in");
    text(of, 3, object, "description");
    flag(of, 4, object, "required");
    if (const Json* schema = find(object, "schema")) of.message(10, schema_or_reference(*schema));
    Message out;
    out.message(1, of);
    return out;
}

Message responses(const Json& object) {
    Message out;
    for (const auto& [code, response] : object.items()) {
        Message of;
        text(of, 1, response, "description");
        if (const Json* media = find(response, "content")) of.message(3, content(*media));
        Message value;
        value.message(1, of);
        out.message(2, named(code, value));
    }
    return out;
}

Message operation(const Json& object) {
    Message out;
    texts(out, 1, object, "tags");
    text(out, 3, object, "description");
    text(out, 5, object, "operationId");
    for (const Json& of : array_at(object, {"parameters"})) out.message(6, parameter(of));
    if (const Json* body = find(object, "requestBody")) {
        Message of;
        of.message(2, content(object_at(*body, {"content"})));
        flag(of, 3, *body, "required");
        Message either;
        either.message(1, of);
        out.message(7, either);
    }
    out.message(8, responses(object_at(object, {"responses"})));
    extensions(out, 13, object);
    return out;
}

Message path_item(const Json& object) {
    Message out;
    struct Method {
        const char* name;
        int field;
    };
    for (const Method& method : {Method{"get", 4}, Method{"put", 5}, Method{"post", 6}, Method{"delete", 7},
                                 Method{"options", 8}, Method{"head", 9}, Method{"patch", 10}}) {
        if (const Json* of = find(object, method.name)) out.message(method.field, operation(*of));
    }
    for (const Json& of : array_at(object, {"parameters"})) out.message(13, parameter(of));
    return out;
}

Message security_schemes(const Json& object) {
    Message out;
    for (const auto& [name, scheme] : object.items()) {
        Message of;
        text(of, 1, scheme, "type");
        text(of, 2, scheme, "description");
        text(of, 3, scheme, "name");
        text(of, 4, scheme, "in");
        Message either;
        either.message(1, of);
        out.message(1, named(name, either));
    }
    return out;
}

}  // namespace

std::string gnostic_v3_document(const std::string& json) {
    const Json document = Json::parse(json, nullptr, false);
    Message out;
    text(out, 1, document, "openapi");
    Message info;
    info.text(1, string_at(document, {"info", "title"}));
    info.text(6, string_at(document, {"info", "version"}));
    out.message(2, info);
    Message paths;
    for (const auto& [path, item] : object_at(document, {"paths"}).items())
        paths.message(1, named(path, path_item(item)));
    out.message(4, paths);
    Message components;
    components.message(1, named_schemas(object_at(document, {"components", "schemas"})));
    components.message(7, security_schemes(object_at(document, {"components", "securitySchemes"})));
    out.message(5, components);
    return out.out();
}

}  // namespace kubemu::api
