// For tests of rules: what a check complains of, one line each, and objects as the server has them when it checks.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "api/schema/defaults.h"
#include "api/schema/type.h"
#include "api/schema/zero.h"
#include "api/values/field_errors.h"

namespace kubemu::api::test {

inline std::string complaints(const std::function<void(FieldErrors&)>& check) {
    FieldErrors errors;
    check(errors);
    std::string text;
    for (const FieldError& error : errors.all()) text += (text.empty() ? "" : "\n") + error.field + ": " + error.message;
    return text;
}

// With the defaults of the type table and without zero values.
inline Json defaulted(std::string_view type, const char* text) {
    Json object = Json::parse(text);
    apply_defaults(object, *find_type(type));
    drop_zero_values(object, *find_type(type));
    return object;
}

inline std::string lines(const std::vector<std::string>& all) {
    std::string text;
    for (const std::string& line : all) text += (text.empty() ? "" : "\n") + line;
    return text;
}

}  // namespace kubemu::api::test
