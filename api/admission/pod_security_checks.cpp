// Which checks a standard of some version consists of, and what they share.
#include "api/admission/pod_security_checks.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "api/values/text.h"

namespace kubemu::api {
namespace {

// The release whose standards "latest" means.
constexpr int latest_minor = 36;

using Chosen = std::map<std::string_view, const PodSecurityCheck*>;

// Of each check the newest version that is not newer than the standard.
Chosen choose(std::span<const PodSecurityCheck> checks, int minor) {
    Chosen chosen;
    for (const PodSecurityCheck& check : checks) {
        if (check.since_minor <= minor) chosen[check.id] = &check;
    }
    return chosen;
}

}  // namespace

std::vector<std::string> containers_where(const Json& spec, ContainerTest bad) {
    std::vector<std::string> names;
    for (const char* list : {"initContainers", "containers", "ephemeralContainers"}) {
        for (const Json& container : array_at(spec, {list})) {
            if (bad(container)) names.emplace_back(string_at(container, {"name"}));
        }
    }
    return names;
}

std::string join_quoted(const std::vector<std::string>& items) {
    return "\"" + join(items, "\", \"") + "\"";
}

std::string pluralize(const char* one, const char* many, std::size_t count) {
    return count == 1 ? one : many;
}

std::string quoted_containers(const std::vector<std::string>& names) {
    return pluralize("container", "containers", names.size()) + " " + join_quoted(names);
}

bool has_user_namespace(const Json& spec) {
    return !bool_at(spec, {"hostUsers"}, true);
}

std::vector<PodSecurityViolation> pod_security_violations(const PodSecurityStandard& standard, const Json& metadata,
                                                          const Json& spec) {
    std::vector<PodSecurityViolation> violations;
    if (standard.level == PodSecurityLevel::privileged) return violations;
    const int minor = standard.minor < 0 ? latest_minor : std::min(standard.minor, latest_minor);
    Chosen baseline = choose(baseline_checks(), minor), restricted;
    if (standard.level == PodSecurityLevel::restricted) restricted = choose(restricted_checks(), minor);
    for (const auto& [id, check] : restricted) baseline.erase(check->overrides);
    for (const Chosen* checks : {&baseline, &restricted}) {
        for (const auto& [id, check] : *checks) {
            PodSecurityViolation violation = check->check(metadata, spec);
            if (!violation.reason.empty()) violations.push_back(std::move(violation));
        }
    }
    return violations;
}

}  // namespace kubemu::api
