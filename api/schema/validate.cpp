// The walk over object and schema that checks enums and ranges.
#include "api/schema/validate.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace kubemu::api {
namespace {

void check_value(const Json& value, const FieldInfo& field, const FieldPath& path, FieldErrors& errors) {
    if (field.type != nullptr && value.is_object())
        return validate_declared(value, *field.type, path, false, errors);
    if (field.enum_checked && value.is_string()) {
        const auto& text = value.get_ref<const std::string&>();
        // An absent value is the rules' business: whether it is required depends on the kind.
        if (text.empty()) return;
        if (std::find(field.enum_values.begin(), field.enum_values.end(), text) == field.enum_values.end()) {
            errors.not_supported(
                path, text, std::vector<std::string>(field.enum_values.begin(), field.enum_values.end()));
        }
    }
    if (field.has_minimum && value.is_number() && value.get<std::int64_t>() < field.minimum) {
        errors.invalid(path, value, "must be greater than or equal to " + std::to_string(field.minimum));
    }
    if (field.has_maximum && value.is_number() && value.get<std::int64_t>() > field.maximum) {
        errors.invalid(path, value, "must be less than or equal to " + std::to_string(field.maximum));
    }
}

}  // namespace

void validate_declared(const Json& object, const TypeInfo& type, const FieldPath& path, bool skip_status,
                       FieldErrors& errors) {
    for (const FieldInfo& field : type.fields) {
        if (skip_status && field.name == "status") continue;
        const Json* value = find(object, field.name);
        if (value == nullptr) continue;
        const FieldPath at = path.child(field.name);
        if (field.shape == Shape::single) {
            check_value(*value, field, at, errors);
        } else if (field.shape == Shape::list && value->is_array()) {
            for (std::size_t i = 0; i < value->size(); ++i)
                check_value((*value)[i], field, at.index(i), errors);
        } else if (value->is_object()) {
            for (const auto& [key, item] : value->items()) check_value(item, field, at.key(key), errors);
        }
    }
}

}  // namespace kubemu::api
