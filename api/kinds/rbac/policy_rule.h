// PolicyRule: one grant of RBAC and what can be asked of it: does it allow this, does it cover that other rule.
//
// Matching is k8s.io/kubernetes/pkg/apis/rbac/v1/evaluation_helpers.go, comparison of rules
// k8s.io/component-helpers/auth/rbac/validation/policy_comparator.go.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/values/object.h"

namespace kubemu::api {

struct PolicyRule {
    std::vector<std::string> verbs;
    std::vector<std::string> api_groups;
    std::vector<std::string> resources;
    std::vector<std::string> resource_names;
    std::vector<std::string> non_resource_urls;

    bool operator==(const PolicyRule&) const = default;
    // `subresource` may be empty; `name` is empty for a list or a creation.
    bool allows_resource(std::string_view verb, std::string_view group, std::string_view resource,
                         std::string_view subresource, std::string_view name) const;
    bool allows_path(std::string_view verb, std::string_view path) const;
    // `{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}`, for messages about escalation.
    std::string compact_text() const;
};

PolicyRule rule_from(const Json& rule);
std::vector<PolicyRule> rules_from(const Json& rules);
// The form in which a Role holds it; empty lists are left out.
Json rule_to_document(const PolicyRule& rule);

// What of `wanted` the `held` rules do not grant, taken apart into rules of one verb, group, resource and name each.
std::vector<PolicyRule> uncovered_rules(const std::vector<PolicyRule>& held, const std::vector<PolicyRule>& wanted);

// Rules that name one and the same resource become one with all their verbs
// (k8s.io/kubernetes/pkg/registry/rbac/validation/policy_compact.go). Those that name no single one come first.
std::vector<PolicyRule> compact_rules(const std::vector<PolicyRule>& rules);

}  // namespace kubemu::api
