// Conditions: types once, statuses known, reasons one word.
#include "api/kinds/conditions.h"

#include <cctype>
#include <nlohmann/json.hpp>
#include <set>

#include "api/kinds/validation.h"

namespace kubemu::api {
namespace {

constexpr std::size_t reason_bytes_max = 1024, message_bytes_max = 32 * 1024;

// "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?"
bool valid_reason(std::string_view reason) {
    if (std::isalpha(static_cast<unsigned char>(reason[0])) == 0) return false;
    for (const char c : reason) {
        if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != ',' && c != ':')
            return false;
    }
    return reason.back() != ',' && reason.back() != ':';
}

void validate_condition(const Json& condition, const FieldPath& path, FieldErrors& errors) {
    const std::string_view type = string_at(condition, {"type"}), status = string_at(condition, {"status"});
    const std::string_view reason = string_at(condition, {"reason"});
    add_invalid(check_qualified_name(type), path.child("type"), type, errors);
    if (status != "True" && status != "False" && status != "Unknown") {
        errors.not_supported(path.child("status"), status, {"False", "True", "Unknown"});
    }
    if (const Json* generation = find(condition, "observedGeneration");
        generation != nullptr && generation->is_number()) {
        if (generation->get<std::int64_t>() < 0) {
            errors.invalid(path.child("observedGeneration"), *generation,
                           "must be greater than or equal to zero");
        }
    }
    if (string_at(condition, {"lastTransitionTime"}).empty())
        errors.required(path.child("lastTransitionTime"), "");
    if (validate_required(reason, path.child("reason"), errors)) {
        if (!valid_reason(reason)) {
            errors.invalid(
                path.child("reason"), std::string(reason),
                "a condition reason must start with alphabetic character, optionally followed by a string of "
                "alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. "
                "'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex "
                "used "
                "for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')");
        }
        if (reason.size() > reason_bytes_max) errors.too_long(path.child("reason"), reason_bytes_max);
    }
    if (string_at(condition, {"message"}).size() > message_bytes_max)
        errors.too_long(path.child("message"), message_bytes_max);
}

}  // namespace

void validate_conditions(const Json& conditions, const FieldPath& path, FieldErrors& errors) {
    std::set<std::string_view> seen;
    for (std::size_t i = 0; i < conditions.size(); ++i) {
        const std::string_view type = string_at(conditions[i], {"type"});
        if (!seen.insert(type).second) errors.duplicate(path.index(i).child("type"), std::string(type));
        validate_condition(conditions[i], path.index(i), errors);
    }
}

}  // namespace kubemu::api
