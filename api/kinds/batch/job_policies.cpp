// Pod failure policies and success policies of Jobs.
#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "api/kinds/batch/job_spec.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/validation.h"
#include "api/values/text.h"

namespace kubemu::api::kinds {
namespace {

constexpr std::size_t rules_max = 20, exit_codes_max = 255, patterns_max = 20;
constexpr std::size_t succeeded_indexes_bytes_max = 64 * 1024;

std::string_view text(const Json& object, std::string_view member) { return string_at(object, {member}); }

void validate_exit_codes(const Json& requirement, const std::set<std::string_view>& containers, const FieldPath& path,
                         FieldErrors& errors) {
    const std::string_view op = text(requirement, "operator"), container = text(requirement, "containerName");
    if (op.empty()) errors.required(path.child("operator"), "valid values: [\"In\" \"NotIn\"]");
    else validate_optional_enum(op, {"In", "NotIn"}, path.child("operator"), errors);
    if (find(requirement, "containerName") != nullptr && !containers.contains(container)) {
        errors.invalid(path.child("containerName"), std::string(container),
                       "must be one of the container or initContainer names in the pod template");
    }
    const Json* list = find(requirement, "values");
    const Json& values = array_at(requirement, {"values"});
    const FieldPath at = path.child("values");
    if (values.empty()) errors.invalid(at, go_strings("[]int32", list), "at least one value is required");
    if (values.size() > exit_codes_max) errors.too_many(at, values.size(), exit_codes_max);
    std::set<std::int64_t> seen;
    bool ordered = true;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto code = values[i].is_number() ? values[i].get<std::int64_t>() : 0;
        if (op == "In" && code == 0) errors.invalid(at.index(i), 0, "must not be 0 for the In operator");
        if (!seen.insert(code).second) errors.duplicate(at.index(i), code);
        if (i > 0 && values[i - 1].is_number() && values[i - 1].get<std::int64_t>() > code) ordered = false;
    }
    if (!ordered) errors.invalid(at, go_strings("[]int32", list), "must be ordered");
}

void validate_conditions(const Json& patterns, const FieldPath& path, FieldErrors& errors) {
    if (patterns.size() > patterns_max) errors.too_many(path, patterns.size(), patterns_max);
    for (std::size_t i = 0; i < patterns.size(); ++i) {
        const FieldPath at = path.index(i);
        validate_qualified_name(text(patterns[i], "type"), at.child("type"), errors);
        const std::string_view status = text(patterns[i], "status");
        if (status.empty()) errors.required(at.child("status"), "valid values: [\"False\" \"True\" \"Unknown\"]");
        else validate_optional_enum(status, {"False", "True", "Unknown"}, at.child("status"), errors);
    }
}

void validate_failure_rule(const Json& spec, const Json& rule, const std::set<std::string_view>& containers,
                           const FieldPath& path, FieldErrors& errors) {
    const std::string_view action = text(rule, "action");
    const FieldPath at = path.child("action");
    if (action.empty()) {
        errors.required(at, "valid values: [\"Count\" \"FailIndex\" \"FailJob\" \"Ignore\"]");
    } else if (action == "FailIndex") {
        if (find(spec, "backoffLimitPerIndex") == nullptr) {
            errors.invalid(at, std::string(action), "requires the backoffLimitPerIndex to be set");
        }
    } else {
        validate_optional_enum(action, {"Count", "FailIndex", "FailJob", "Ignore"}, at, errors);
    }
    const Json* codes = find(rule, "onExitCodes");
    const Json& conditions = array_at(rule, {"onPodConditions"});
    if (codes != nullptr) validate_exit_codes(*codes, containers, path.child("onExitCodes"), errors);
    if (!conditions.empty()) validate_conditions(conditions, path.child("onPodConditions"), errors);
    if (codes != nullptr && !conditions.empty()) {
        errors.invalid(path, GoText{"specifying both OnExitCodes and OnPodConditions is not supported"}, "");
    }
    if (codes == nullptr && conditions.empty()) {
        errors.invalid(path, GoText{"specifying one of OnExitCodes and OnPodConditions is required"}, "");
    }
}

std::optional<std::int64_t> number(std::string_view digits) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return value;
}

struct Indexes {
    std::int64_t count = 0;
    std::string error;  // empty when the list is fine
};

// "1,3-5,7": rising, below `completions` (validateIndexesFormat).
Indexes count_indexes(std::string_view list, std::int64_t completions) {
    Indexes result;
    std::int64_t last = -1;
    const auto refuse = [&](std::string message) {
        result.error = std::move(message);
        return result;
    };
    if (list.empty()) return result;
    for (const std::string_view interval : split(list, ',')) {
        const auto limits = split(interval, '-');
        if (limits.size() > 2) {
            return refuse("the fragment " + go_quote(interval) +
                          " violates the requirement that an index interval can have at most two parts separated by '-'");
        }
        std::int64_t first = -1;
        for (const std::string_view limit : limits) {
            const auto index = number(limit);
            if (!index) return refuse("cannot convert string to integer for index: " + go_quote(limit));
            if (*index >= completions) return refuse("too large index: " + go_quote(limit));
            if (last >= *index) {
                return refuse("non-increasing order, previous: " + std::to_string(last) + ", current: " + std::to_string(*index));
            }
            if (first < 0) first = *index;
            last = *index;
        }
        result.count += last - first + 1;
    }
    return result;
}

void validate_success_rule(const Json& rule, std::int64_t completions, const FieldPath& path, FieldErrors& errors) {
    const Json* indexes = find(rule, "succeededIndexes");
    const Json* count = find(rule, "succeededCount");
    if (indexes == nullptr && count == nullptr) {
        return errors.required(path, "at least one of succeededCount or succeededIndexes must be specified");
    }
    std::int64_t total = 0;
    if (indexes != nullptr) {
        const std::string_view list = text(rule, "succeededIndexes");
        const FieldPath at = path.child("succeededIndexes");
        if (list.size() > succeeded_indexes_bytes_max) errors.too_long(at, succeeded_indexes_bytes_max);
        const Indexes counted = count_indexes(list, completions);
        total = counted.error.empty() ? counted.count : 0;
        if (!counted.error.empty()) errors.invalid(at, *indexes, "error parsing succeededIndexes: " + counted.error);
    }
    if (count == nullptr) return;
    const FieldPath at = path.child("succeededCount");
    const std::int64_t wanted = int_at(rule, {"succeededCount"});
    validate_non_negative(rule, "succeededCount", path, errors);
    if (wanted > completions) {
        errors.invalid(at, *count, "must be less than or equal to " + std::to_string(completions) + " (the number of specified completions)");
    }
    if (indexes != nullptr && wanted > total) {
        errors.invalid(at, *count,
                       "must be less than or equal to " + std::to_string(total) +
                           " (the number of indexes in the specified succeededIndexes field)");
    }
}

}  // namespace

void validate_failure_policy(const Json& spec, const FieldPath& path, FieldErrors& errors) {
    const Json& rules = array_at(spec, {"podFailurePolicy", "rules"});
    const FieldPath list = path.child("rules");
    if (rules.size() > rules_max) errors.too_many(list, rules.size(), rules_max);
    std::set<std::string_view> containers;
    for (const char* member : {"containers", "initContainers"}) {
        for (const Json& container : array_at(spec, {"template", "spec", member})) containers.insert(text(container, "name"));
    }
    for (std::size_t i = 0; i < rules.size(); ++i) validate_failure_rule(spec, rules[i], containers, list.index(i), errors);
}

void validate_success_policy(const Json& spec, const FieldPath& path, FieldErrors& errors) {
    const Json& rules = array_at(spec, {"successPolicy", "rules"});
    const FieldPath list = path.child("rules");
    if (rules.empty()) errors.required(list, "at least one rules must be specified when the successPolicy is specified");
    if (rules.size() > rules_max) errors.too_many(list, rules.size(), rules_max);
    const std::int64_t completions = int_at(spec, {"completions"});
    for (std::size_t i = 0; i < rules.size(); ++i) validate_success_rule(rules[i], completions, list.index(i), errors);
}

std::string index_list_error(std::string_view list, std::int64_t completions) {
    return count_indexes(list, completions).error;
}

}  // namespace kubemu::api::kinds
