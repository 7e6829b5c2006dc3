// Matching and comparing grants.
#include "api/kinds/rbac/policy_rule.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "api/values/text.h"

namespace kubemu::api {
namespace {

using Texts = std::vector<std::string>;

bool has(const Texts& set, std::string_view wanted) {
    return std::any_of(set.begin(), set.end(), [&](const std::string& member) { return member == wanted; });
}

bool has_or_star(const Texts& set, std::string_view wanted) {
    return std::any_of(set.begin(), set.end(), [&](const std::string& member) { return member == "*" || member == wanted; });
}

// "pods/status" or "*/status" against a resource and its subresource.
bool resource_matches(std::string_view pattern, std::string_view resource, std::string_view subresource) {
    if (pattern == "*") return true;
    if (subresource.empty()) return pattern == resource;
    const std::size_t slash = pattern.find('/');
    if (slash == std::string_view::npos || pattern.substr(slash + 1) != subresource) return false;
    const std::string_view parent = pattern.substr(0, slash);
    return parent == "*" || parent == resource;
}

bool path_matches(std::string_view pattern, std::string_view path) {
    if (pattern == path) return true;
    if (pattern.empty() || pattern.back() != '*') return false;
    const std::string_view prefix = pattern.substr(0, pattern.find_last_not_of('*') + 1);
    return path.substr(0, prefix.size()) == prefix;
}

Texts texts_at(const Json& rule, std::string_view member) {
    Texts texts;
    for (const Json& text : array_at(rule, {member})) {
        if (text.is_string()) texts.push_back(text.get<std::string>());
    }
    return texts;
}

std::vector<PolicyRule> taken_apart(const PolicyRule& rule) {
    std::vector<PolicyRule> parts;
    for (const std::string& group : rule.api_groups) {
        for (const std::string& resource : rule.resources) {
            for (const std::string& verb : rule.verbs) {
                if (rule.resource_names.empty()) parts.push_back({{verb}, {group}, {resource}, {}, {}});
                for (const std::string& name : rule.resource_names) parts.push_back({{verb}, {group}, {resource}, {name}, {}});
            }
        }
    }
    for (const std::string& url : rule.non_resource_urls) {
        for (const std::string& verb : rule.verbs) parts.push_back({{verb}, {}, {}, {}, {url}});
    }
    return parts;
}

// Unlike a request, a rule about "*/scale" is covered by "*/scale" alone, and one about "pods/*" by nothing but itself.
bool resource_covered(const Texts& held, const std::string& wanted) {
    if (has_or_star(held, wanted)) return true;
    const std::size_t slash = wanted.find('/');
    return slash != std::string::npos && has(held, "*" + wanted.substr(slash));
}

// `part` is one of taken_apart().
bool covers(const PolicyRule& held, const PolicyRule& part) {
    if (!has_or_star(held.verbs, part.verbs[0])) return false;
    if (!part.non_resource_urls.empty()) {
        return std::any_of(held.non_resource_urls.begin(), held.non_resource_urls.end(),
                           [&](const std::string& url) { return path_matches(url, part.non_resource_urls[0]); });
    }
    if (!has_or_star(held.api_groups, part.api_groups[0]) || !resource_covered(held.resources, part.resources[0])) return false;
    if (held.resource_names.empty()) return true;
    return !part.resource_names.empty() && has(held.resource_names, part.resource_names[0]);
}

}  // namespace

bool PolicyRule::allows_resource(std::string_view verb, std::string_view group, std::string_view resource,
                                 std::string_view subresource, std::string_view name) const {
    return has_or_star(verbs, verb) && has_or_star(api_groups, group) &&
           std::any_of(resources.begin(), resources.end(),
                       [&](const std::string& pattern) { return resource_matches(pattern, resource, subresource); }) &&
           (resource_names.empty() || has(resource_names, name));
}

bool PolicyRule::allows_path(std::string_view verb, std::string_view path) const {
    return has_or_star(verbs, verb) && std::any_of(non_resource_urls.begin(), non_resource_urls.end(),
                                                   [&](const std::string& url) { return path_matches(url, path); });
}

std::string PolicyRule::compact_text() const {
    std::string text;
    const auto add = [&text](std::string_view name, const Texts& values) {
        if (values.empty()) return;
        text += (text.empty() ? "" : ", ") + std::string(name) + ":" + go_quote_list(values);
    };
    add("APIGroups", api_groups);
    add("Resources", resources);
    add("NonResourceURLs", non_resource_urls);
    add("ResourceNames", resource_names);
    add("Verbs", verbs);
    return "{" + text + "}";
}

PolicyRule rule_from(const Json& rule) {
    return {texts_at(rule, "verbs"), texts_at(rule, "apiGroups"), texts_at(rule, "resources"),
            texts_at(rule, "resourceNames"), texts_at(rule, "nonResourceURLs")};
}

std::vector<PolicyRule> rules_from(const Json& rules) {
    std::vector<PolicyRule> out;
    if (!rules.is_array()) return out;
    out.reserve(rules.size());
    for (const Json& rule : rules) out.push_back(rule_from(rule));
    return out;
}

Json rule_to_document(const PolicyRule& rule) {
    Json document = Json::object();
    const auto add = [&document](const char* name, const Texts& values) {
        if (!values.empty()) document[name] = values;
    };
    add("verbs", rule.verbs);
    add("apiGroups", rule.api_groups);
    add("resources", rule.resources);
    add("resourceNames", rule.resource_names);
    add("nonResourceURLs", rule.non_resource_urls);
    return document;
}

std::vector<PolicyRule> uncovered_rules(const std::vector<PolicyRule>& held, const std::vector<PolicyRule>& wanted) {
    std::vector<PolicyRule> missing;
    for (const PolicyRule& rule : wanted) {
        for (PolicyRule& part : taken_apart(rule)) {
            const bool covered = std::any_of(held.begin(), held.end(), [&](const PolicyRule& owned) { return covers(owned, part); });
            if (!covered) missing.push_back(std::move(part));
        }
    }
    return missing;
}

std::vector<PolicyRule> compact_rules(const std::vector<PolicyRule>& rules) {
    std::vector<PolicyRule> compacted, merged;
    std::map<std::vector<std::string>, std::size_t> place;
    for (const PolicyRule& rule : rules) {
        const bool simple = rule.resource_names.size() <= 1 && rule.non_resource_urls.empty() && rule.api_groups.size() == 1 &&
                            rule.resources.size() == 1;
        if (!simple) {
            compacted.push_back(rule);
            continue;
        }
        std::vector<std::string> key = {rule.api_groups[0], rule.resources[0]};
        key.insert(key.end(), rule.resource_names.begin(), rule.resource_names.end());
        const auto [at, added] = place.emplace(std::move(key), merged.size());
        if (added) {
            merged.push_back(rule);
        } else {
            Texts& verbs = merged[at->second].verbs;
            verbs.insert(verbs.end(), rule.verbs.begin(), rule.verbs.end());
        }
    }
    compacted.insert(compacted.end(), merged.begin(), merged.end());
    return compacted;
}

}  // namespace kubemu::api
