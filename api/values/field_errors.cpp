// Complaints about fields, worded as k8s.io/apimachinery/pkg/util/validation/field words them.
#include "api/values/field_errors.h"

#include <nlohmann/json.hpp>

#include "api/values/text.h"

namespace kubemu::api {

FieldPath FieldPath::child(std::string_view name) const {
    FieldPath path;
    path.text_ = text_.empty() ? std::string(name) : text_ + "." + std::string(name);
    return path;
}

FieldPath FieldPath::index(std::size_t index) const {
    FieldPath path;
    path.text_ = text_ + "[" + std::to_string(index) + "]";
    return path;
}

FieldPath FieldPath::key(std::string_view key) const {
    FieldPath path;
    path.text_ = text_ + "[" + std::string(key) + "]";
    return path;
}

namespace {

std::string echoed(const Json& value) {
    if (value.is_string()) return go_quote(value.get_ref<const std::string&>());
    if (value.is_null()) return "\"null\"";
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string with_detail(std::string text, std::string_view detail) {
    if (!detail.empty()) {
        text += ": ";
        text += detail;
    }
    return text;
}

}  // namespace

void FieldErrors::required(const FieldPath& path, std::string_view detail) {
    errors_.push_back({"FieldValueRequired", path.text(), with_detail("Required value", detail)});
}

void FieldErrors::invalid(const FieldPath& path, const Json& value, std::string_view detail) {
    errors_.push_back({"FieldValueInvalid", path.text(), with_detail("Invalid value: " + echoed(value), detail)});
}

void FieldErrors::invalid(const FieldPath& path, const GoText& value, std::string_view detail) {
    errors_.push_back({"FieldValueInvalid", path.text(), with_detail("Invalid value: " + value.text, detail)});
}

void FieldErrors::not_supported(const FieldPath& path, std::string_view value, const std::vector<std::string>& supported) {
    not_supported(path, GoText{go_quote(value)}, supported);
}

void FieldErrors::not_supported(const FieldPath& path, const GoText& value, const std::vector<std::string>& supported) {
    std::string text = "Unsupported value: " + value.text;
    if (!supported.empty()) {
        text += ": supported values: ";
        for (std::size_t i = 0; i < supported.size(); ++i) text += (i ? ", " : "") + go_quote(supported[i]);
    }
    errors_.push_back({"FieldValueNotSupported", path.text(), std::move(text)});
}

void FieldErrors::duplicate(const FieldPath& path, const Json& value) { duplicate(path, GoText{echoed(value)}); }

void FieldErrors::duplicate(const FieldPath& path, const GoText& value) {
    errors_.push_back({"FieldValueDuplicate", path.text(), "Duplicate value: " + value.text});
}

void FieldErrors::forbidden(const FieldPath& path, std::string_view detail) {
    errors_.push_back({"FieldValueForbidden", path.text(), with_detail("Forbidden", detail)});
}

void FieldErrors::not_found(const FieldPath& path, const Json& value, std::string_view detail) {
    errors_.push_back({"FieldValueNotFound", path.text(), with_detail("Not found: " + echoed(value), detail)});
}

void FieldErrors::too_long(const FieldPath& path, std::size_t bytes_max) {
    errors_.push_back({"FieldValueTooLong", path.text(), "Too long: must have at most " + std::to_string(bytes_max) + " bytes"});
}

void FieldErrors::too_many(const FieldPath& path, std::size_t actual, std::size_t items_max) {
    errors_.push_back({"FieldValueTooMany", path.text(), "Too many: " + std::to_string(actual) + ": must have at most " +
                                                             std::to_string(items_max) + " items"});
}

void FieldErrors::type_invalid(const FieldPath& path, const Json& value, std::string_view detail) {
    errors_.push_back({"FieldValueTypeInvalid", path.text(), with_detail("Invalid value: " + echoed(value), detail)});
}

void FieldErrors::internal(const FieldPath& path, std::string_view detail) {
    errors_.push_back({"InternalError", path.text(), with_detail("Internal error", detail)});
}

}  // namespace kubemu::api
