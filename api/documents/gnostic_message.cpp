// Members of JSON objects as fields; an absent member is an absent field.
#include "api/documents/gnostic_message.h"

#include <nlohmann/json.hpp>

#include "api/codec/yaml.h"

namespace kubemu::api::gnostic {

void text(Message& out, int field, const Json& object, const char* member) {
    out.text(field, string_at(object, {member}));
}

void flag(Message& out, int field, const Json& object, const char* member) {
    out.boolean(field, bool_at(object, {member}));
}

void number(Message& out, int field, const Json& object, const char* member) {
    const Json* value = find(object, member);
    if (value != nullptr && value->is_number())
        out.number(field, static_cast<std::uint64_t>(value->get<std::int64_t>()));
}

void real(Message& out, int field, const Json& object, const char* member) {
    const Json* value = find(object, member);
    if (value != nullptr && value->is_number()) out.real(field, value->get<double>());
}

void texts(Message& out, int field, const Json& object, const char* member) {
    for (const Json& item : array_at(object, {member})) {
        if (item.is_string()) out.bytes(field, item.get_ref<const std::string&>());
    }
}

Message any(const Json& value) {
    Message out;
    out.text(2, encode_yaml(value));
    return out;
}

void extensions(Message& out, int field, const Json& object) {
    for (const auto& [name, value] : object.items()) {
        if (name.substr(0, 2) == "x-") out.message(field, named(name, any(value)));
    }
}

Message named(std::string_view name, const Message& value) {
    Message out;
    out.text(1, name);
    out.message(2, value);
    return out;
}

}  // namespace kubemu::api::gnostic
