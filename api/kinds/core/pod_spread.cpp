// Topology spread constraints, and the label keys that they and affinity terms take from the pod itself.
#include <nlohmann/json.hpp>

#include "api/kinds/core/pod_checks.h"
#include "api/kinds/validation.h"

namespace kubemu::api::pods {
namespace {

std::string_view text(const Json& object, std::string_view member) { return string_at(object, {member}); }

void validate_policy(const Json& constraint, const char* member, const FieldPath& path, FieldErrors& errors) {
    if (find(constraint, member) == nullptr) return;
    const std::string_view policy = text(constraint, member);
    if (policy != "Honor" && policy != "Ignore") errors.not_supported(path.child(member), policy, {"Honor", "Ignore"});
}

void validate_min_domains(const Json& constraint, std::string_view action, const FieldPath& path, FieldErrors& errors) {
    const Json* domains = find(constraint, "minDomains");
    if (domains == nullptr) return;
    const FieldPath at = path.child("minDomains");
    if (int_at(constraint, {"minDomains"}) <= 0) errors.invalid(at, *domains, "must be greater than zero");
    if (action != "DoNotSchedule") {
        errors.invalid(at, *domains,
                       "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not " + std::string(action));
    }
}

bool repeated_later(const Json& constraints, std::size_t index) {
    for (std::size_t i = index + 1; i < constraints.size(); ++i) {
        if (text(constraints[i], "topologyKey") == text(constraints[index], "topologyKey") &&
            text(constraints[i], "whenUnsatisfiable") == text(constraints[index], "whenUnsatisfiable")) {
            return true;
        }
    }
    return false;
}

}  // namespace

void validate_match_label_keys(const Json& term, const FieldPath& path, FieldErrors& errors) {
    const Json& match = array_at(term, {"matchLabelKeys"});
    const Json& mismatch = array_at(term, {"mismatchLabelKeys"});
    if (match.empty() && mismatch.empty()) return;
    const Json* selector = find(term, "labelSelector");
    for (const char* member : {"matchLabelKeys", "mismatchLabelKeys"}) {
        const Json& keys = array_at(term, {member});
        if (keys.empty()) continue;
        const FieldPath list = path.child(member);
        if (selector == nullptr) {
            errors.forbidden(list, "must not be specified when labelSelector is not set");
            continue;
        }
        std::size_t i = 0;
        for (const Json& key : keys) {
            const FieldPath at = list.index(i++);
            if (key.is_string()) validate_qualified_name(key.get_ref<const std::string&>(), at, errors);
        }
    }
    if (selector != nullptr) {
        // The pod's own values have been merged in as expressions; a key that stood there before is given twice.
        std::set<std::string_view> taken;
        for (const auto& [key, value] : object_at(*selector, {"matchLabels"}).items()) taken.insert(key);
        for (const Json& expression : array_at(*selector, {"matchExpressions"})) {
            const std::string_view key = text(expression, "key");
            for (std::size_t i = 0; i < match.size(); ++i) {
                if (match[i] == key && taken.contains(key)) {
                    errors.invalid(path.index(i), std::string(key), "exists in both matchLabelKeys and labelSelector");
                }
            }
            taken.insert(key);
        }
    }
    for (std::size_t i = 0; i < match.size(); ++i) {
        for (const Json& key : mismatch) {
            if (key != match[i]) continue;
            errors.invalid(path.child("matchLabelKeys").index(i), match[i], "exists in both matchLabelKeys and mismatchLabelKeys");
            break;
        }
    }
}

void validate_topology_spread(const Json& constraints, const FieldPath& path, FieldErrors& errors) {
    for (std::size_t i = 0; i < constraints.size(); ++i) {
        const Json& constraint = constraints[i];
        const FieldPath at = path.index(i);
        const std::string_view key = text(constraint, "topologyKey"), action = text(constraint, "whenUnsatisfiable");
        const std::int64_t skew = int_at(constraint, {"maxSkew"});
        if (skew <= 0) errors.invalid(at.child("maxSkew"), skew, "must be greater than zero");
        if (key.empty()) errors.required(at.child("topologyKey"), "can not be empty");
        if (action != "DoNotSchedule" && action != "ScheduleAnyway") {
            errors.not_supported(at.child("whenUnsatisfiable"), action, {"DoNotSchedule", "ScheduleAnyway"});
        }
        if (repeated_later(constraints, i)) {
            errors.duplicate(at.child("{topologyKey, whenUnsatisfiable}"),
                             "{" + std::string(key) + ", " + std::string(action) + "}");
        }
        validate_min_domains(constraint, action, at, errors);
        validate_policy(constraint, "nodeAffinityPolicy", at, errors);
        validate_policy(constraint, "nodeTaintsPolicy", at, errors);
        validate_match_label_keys(constraint, at, errors);
        if (const Json* selector = find(constraint, "labelSelector")) {
            validate_label_selector(*selector, at.child("labelSelector"), errors);
        }
    }
}

}  // namespace kubemu::api::pods
