// The spec of a Job wherever it stands.
#include "api/kinds/batch/job_spec.h"

#include <nlohmann/json.hpp>

#include "api/kinds/core/pod_spec.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/validation.h"
#include "api/values/text.h"

namespace kubemu::api::kinds {
namespace {

constexpr std::int64_t indexed_parallelism_max = 100000, failed_indexes_max = 100000;
constexpr std::int64_t many_completions = 100000, many_completions_parallelism_max = 10000;
constexpr std::int64_t many_completions_failed_max = 10000;
constexpr std::size_t managed_by_length_max = 63;

std::string_view text(const Json& object, std::string_view member) { return string_at(object, {member}); }

// acme.io/name (validation.IsDomainPrefixedPath).
void validate_managed_by(std::string_view name, const FieldPath& path, FieldErrors& errors) {
    constexpr std::string_view path_characters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-._~%!$&'()*+,;=:";
    const std::size_t slash = name.find('/');
    if (name.empty()) {
        errors.required(path, "");
    } else if (slash == std::string_view::npos || slash == 0 || slash + 1 == name.size()) {
        errors.invalid(path, std::string(name), "must be a domain-prefixed path (such as \"acme.io/foo\")");
    } else {
        validate_dns1123_subdomain(name.substr(0, slash), path, errors);
        const std::string_view rest = name.substr(slash + 1);
        if (rest.find_first_not_of(path_characters) != std::string_view::npos) {
            errors.invalid(path, std::string(rest),
                           "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')");
        }
    }
    if (name.size() > managed_by_length_max) errors.too_long(path, managed_by_length_max);
}

void validate_indexed(const Json& spec, const FieldPath& path, FieldErrors& errors) {
    const Json* completions = find(spec, "completions");
    const Json* failed = find(spec, "maxFailedIndexes");
    const std::int64_t wanted = int_at(spec, {"completions"}), parallel = int_at(spec, {"parallelism"});
    const std::int64_t tolerated = int_at(spec, {"maxFailedIndexes"});
    const auto too_much = [&](const char* member, std::int64_t value, std::int64_t most, const char* when) {
        if (value > most) {
            errors.invalid(path.child(member), value, "must be less than or equal to " + std::to_string(most) + when);
        }
    };
    if (completions == nullptr) errors.required(path.child("completions"), "when completion mode is Indexed");
    too_much("parallelism", parallel, indexed_parallelism_max, " when completion mode is Indexed");
    if (completions != nullptr && failed != nullptr && tolerated > wanted) {
        errors.invalid(path.child("maxFailedIndexes"), tolerated, "must be less than or equal to completions");
    }
    too_much("maxFailedIndexes", tolerated, failed_indexes_max, "");
    if (wanted <= many_completions || find(spec, "backoffLimitPerIndex") == nullptr) return;
    constexpr const char* when = " when completions are above 100000 and used with backoff limit per index";
    if (failed == nullptr) {
        errors.required(path.child("maxFailedIndexes"), "must be specified when completions is above 100000");
    }
    too_much("parallelism", parallel, many_completions_parallelism_max, when);
    too_much("maxFailedIndexes", tolerated, many_completions_failed_max, when);
}

void validate_completion_mode(const Json& spec, const FieldPath& path, FieldErrors& errors) {
    const std::string_view mode = text(spec, "completionMode");
    validate_given_enum(spec, "completionMode", {"NonIndexed", "Indexed"}, path, errors);
    if (mode == "Indexed") return validate_indexed(spec, path, errors);
    if (find(spec, "completionMode") != nullptr && mode != "NonIndexed") return;
    for (const char* member : {"backoffLimitPerIndex", "maxFailedIndexes"}) {
        if (const Json* value = find(spec, member)) errors.invalid(path.child(member), *value, "requires indexed completion mode");
    }
}

void validate_policies(const Json& spec, const FieldPath& path, FieldErrors& errors) {
    const bool failures = find(spec, "podFailurePolicy") != nullptr;
    if (failures) validate_failure_policy(spec, path.child("podFailurePolicy"), errors);
    if (find(spec, "successPolicy") != nullptr) {
        const FieldPath at = path.child("successPolicy");
        if (text(spec, "completionMode") == "Indexed") {
            validate_success_policy(spec, at, errors);
        } else {
            const Json& rules = array_at(spec, {"successPolicy", "rules"});
            constexpr GoField fields[] = {{"SucceededIndexes", "succeededIndexes", "*string"},
                                          {"SucceededCount", "succeededCount", "*int32"}};
            std::string echo = "batch.SuccessPolicy{Rules:[]batch.SuccessPolicyRule";
            if (rules.empty()) echo += "{";
            for (std::size_t i = 0; i < rules.size(); ++i) {
                echo += (i == 0 ? "{" : ", ") + go_struct("batch.SuccessPolicyRule", fields, rules[i]).text;
            }
            errors.invalid(at, GoText{echo + "}}"}, "requires indexed completion mode");
        }
    }
    if (failures) validate_given_enum(spec, "podReplacementPolicy", {"Failed"}, path, errors);
    else validate_given_enum(spec, "podReplacementPolicy", {"Failed", "TerminatingOrFailed"}, path, errors);
}

// Defaulting has made "Always" of an absent policy, so the two are told alike.
void validate_restart_policy(const Json& spec, const FieldPath& path, FieldErrors& errors) {
    const FieldPath at = path.child("template").child("spec").child("restartPolicy");
    const std::string_view policy = string_at(spec, {"template", "spec", "restartPolicy"});
    if (policy.empty() || policy == "Always") {
        errors.required(at, "valid values: \"OnFailure\", \"Never\"");
    } else if (policy != "OnFailure" && policy != "Never") {
        errors.not_supported(at, policy, {"OnFailure", "Never"});
    } else if (find(spec, "podFailurePolicy") != nullptr && policy != "Never") {
        errors.invalid(at, std::string(policy), "only \"Never\" is supported when podFailurePolicy is specified");
    }
}

}  // namespace

void validate_job_spec(const Json& spec, const FieldPath& path, FieldErrors& errors) {
    for (const char* member : {"parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished",
                               "backoffLimitPerIndex", "maxFailedIndexes"}) {
        validate_non_negative(spec, member, path, errors);
    }
    if (find(spec, "maxFailedIndexes") != nullptr && find(spec, "backoffLimitPerIndex") == nullptr) {
        errors.required(path.child("backoffLimitPerIndex"), "when maxFailedIndexes is specified");
    }
    if (find(spec, "managedBy") != nullptr) validate_managed_by(text(spec, "managedBy"), path.child("managedBy"), errors);
    validate_completion_mode(spec, path, errors);
    validate_policies(spec, path, errors);
    validate_pod_template(object_at(spec, {"template"}), path.child("template"), errors);
    validate_restart_policy(spec, path, errors);
}

void warn_of_job_spec(const Json& spec, const FieldPath& path, std::vector<std::string>& warnings) {
    if (text(spec, "completionMode") == "Indexed" && int_at(spec, {"completions"}) > many_completions &&
        int_at(spec, {"parallelism"}) > many_completions_parallelism_max) {
        warnings.push_back(path.text() +
                           ": In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than "
                           "10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail");
    }
    warn_of_pod_template(object_at(spec, {"template"}), path.child("template"), warnings);
}

}  // namespace kubemu::api::kinds
