// Rules of ConfigMaps and what Secrets share with them: keys, size, immutability.
#include "api/kinds/core/config_map.h"

#include <nlohmann/json.hpp>

#include "api/kinds/rules.h"
#include "api/kinds/validation.h"
#include "api/values/names.h"

namespace kubemu::api::kinds {

void validate_data_keys(const Json& data, const FieldPath& path, FieldErrors& errors) {
    for (const auto& [key, value] : data.items()) add_invalid(check_config_map_key(key), path.key(key), key, errors);
}

std::size_t text_bytes(const Json& data) {
    std::size_t bytes = 0;
    for (const auto& [key, value] : data.items())
        bytes += value.is_string() ? value.get_ref<const std::string&>().size() : 0;
    return bytes;
}

std::size_t base64_bytes(const Json& data) {
    std::size_t bytes = 0;
    for (const auto& [key, value] : data.items()) {
        if (!value.is_string()) continue;
        const auto& text = value.get_ref<const std::string&>();
        bytes += text.size() / 4 * 3;
        for (std::size_t i = text.size(); i > 0 && text[i - 1] == '='; --i) --bytes;
    }
    return bytes;
}

void validate_immutable_data(const Json& object, const Json& old, std::initializer_list<const char*> members,
                             FieldErrors& errors) {
    if (!bool_at(old, {"immutable"})) return;
    constexpr const char* why = "field is immutable when `immutable` is set";
    if (!bool_at(object, {"immutable"})) errors.forbidden(FieldPath("immutable"), why);
    for (const char* member : members) {
        if (object_at(object, {member}) != object_at(old, {member})) errors.forbidden(FieldPath(member), why);
    }
}

namespace {

void validate_config_map(const Json& object, FieldErrors& errors) {
    const Json& data = object_at(object, {"data"});
    const Json& binary = object_at(object, {"binaryData"});
    const FieldPath path("data");
    for (const auto& [key, value] : data.items()) {
        add_invalid(check_config_map_key(key), path.key(key), key, errors);
        if (binary.contains(key)) errors.invalid(path.key(key), key, "duplicate of key present in binaryData");
    }
    validate_data_keys(binary, FieldPath("binaryData"), errors);
    if (text_bytes(data) + base64_bytes(binary) > data_bytes_max) errors.too_long(FieldPath("[]"), data_bytes_max);
}

void validate_create(const Json& object, const HookContext&, FieldErrors& errors) {
    validate_config_map(object, errors);
}

void validate_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    validate_immutable_data(object, old, {"data", "binaryData"}, errors);
    validate_config_map(object, errors);
}

}  // namespace

extern const KindRules config_map_rules;
const KindRules config_map_rules{.validate_create = validate_create, .validate_update = validate_update};

}  // namespace kubemu::api::kinds
