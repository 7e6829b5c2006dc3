// The restricted standard: what hardened pods must say.
#include <nlohmann/json.hpp>
#include <set>

#include "api/admission/pod_security_checks.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

using Texts = std::vector<std::string>;

bool on_windows(const Json& spec) {
    return string_at(spec, {"os", "name"}) == "windows";
}

PodSecurityViolation privilege_escalation(const Json&, const Json& spec) {
    const Texts containers = containers_where(spec, [](const Json& container) {
        return bool_at(container, {"securityContext", "allowPrivilegeEscalation"}, true);
    });
    if (containers.empty()) return {};
    return {"allowPrivilegeEscalation != false",
            quoted_containers(containers) + " must set securityContext.allowPrivilegeEscalation=false"};
}

PodSecurityViolation capabilities(const Json&, const Json& spec) {
    const Texts keeping = containers_where(spec, [](const Json& container) {
        for (const Json& item : array_at(container, {"securityContext", "capabilities", "drop"})) {
            if (item == "ALL") return false;
        }
        return true;
    });
    const Texts adding = containers_where(spec, [](const Json& container) {
        for (const Json& item : array_at(container, {"securityContext", "capabilities", "add"})) {
            if (item != "NET_BIND_SERVICE") return true;
        }
        return false;
    });
    Texts details;
    if (!keeping.empty()) {
        details.push_back(quoted_containers(keeping) + " must set securityContext.capabilities.drop=[\"ALL\"]");
    }
    if (!adding.empty()) {
        std::set<std::string> added;
        for (const char* list : {"initContainers", "containers", "ephemeralContainers"}) {
            for (const Json& container : array_at(spec, {list})) {
                for (const Json& item : array_at(container, {"securityContext", "capabilities", "add"})) {
                    if (item.is_string() && item != "NET_BIND_SERVICE") added.insert(item.get<std::string>());
                }
            }
        }
        details.push_back(quoted_containers(adding) + " must not include " +
                          join_quoted(Texts(added.begin(), added.end())) + " in securityContext.capabilities.add");
    }
    if (details.empty()) return {};
    return {"unrestricted capabilities", join(details, "; ")};
}

PodSecurityViolation volumes(const Json&, const Json& spec) {
    static const std::set<std::string> allowed = {"configMap", "csi",   "downwardAPI",           "emptyDir",
                                                  "ephemeral", "image", "persistentVolumeClaim", "projected",
                                                  "secret"};
    Texts names;
    std::set<std::string> types;
    for (const Json& volume : array_at(spec, {"volumes"})) {
        std::string type = "unknown";
        for (const auto& [member, value] : volume.items()) {
            if (member != "name" && !value.is_null()) type = member;
        }
        if (allowed.contains(type)) continue;
        names.emplace_back(string_at(volume, {"name"}));
        types.insert(type);
    }
    if (names.empty()) return {};
    return {"restricted volume types",
            pluralize("volume", "volumes", names.size()) + " " + join_quoted(names) + " " +
                pluralize("uses", "use", names.size()) + " " +
                pluralize("restricted volume type", "restricted volume types", types.size()) + " " +
                join_quoted(Texts(types.begin(), types.end()))};
}

// Who says something forbidden, and which containers say nothing where the pod says nothing either.
struct Sayings {
    Texts setters;  // "pod", `container "a"`
    Texts silent;   // names of containers
};

// `fine`: 1 for a good value, 0 for none, -1 for a bad one.
Sayings sayings(const Json& spec, int (*fine)(const Json& object)) {
    Sayings result;
    const int pod = fine(spec);
    if (pod < 0) result.setters.emplace_back("pod");
    Texts bad;
    for (const char* list : {"initContainers", "containers", "ephemeralContainers"}) {
        for (const Json& container : array_at(spec, {list})) {
            const int own = fine(container);
            if (own < 0) bad.emplace_back(string_at(container, {"name"}));
            if (own == 0 && pod <= 0) result.silent.emplace_back(string_at(container, {"name"}));
        }
    }
    if (!bad.empty()) result.setters.push_back(quoted_containers(bad));
    return result;
}

PodSecurityViolation run_as_non_root(const Json&, const Json& spec) {
    const Sayings said = sayings(spec, [](const Json& object) {
        const Json* value = find(object, {"securityContext", "runAsNonRoot"});
        return value == nullptr ? 0 : *value == true ? 1 : -1;
    });
    constexpr const char* reason = "runAsNonRoot != true";
    if (!said.setters.empty())
        return {reason, join(said.setters, " and ") + " must not set securityContext.runAsNonRoot=false"};
    if (said.silent.empty()) return {};
    return {reason, "pod or " + quoted_containers(said.silent) + " must set securityContext.runAsNonRoot=true"};
}

PodSecurityViolation run_as_user(const Json&, const Json& spec) {
    const Sayings said = sayings(spec, [](const Json& object) {
        const Json* value = find(object, {"securityContext", "runAsUser"});
        return value != nullptr && *value == 0 ? -1 : 1;
    });
    if (said.setters.empty()) return {};
    return {"runAsUser=0", join(said.setters, " and ") + " must not set runAsUser=0"};
}

PodSecurityViolation seccomp(const Json&, const Json& spec) {
    std::set<std::string> values;
    const Sayings said = sayings(spec, [](const Json& object) {
        const Json* profile = find(object, {"securityContext", "seccompProfile"});
        if (profile == nullptr) return 0;
        const std::string_view type = string_at(*profile, {"type"});
        return type == "RuntimeDefault" || type == "Localhost" ? 1 : -1;
    });
    constexpr const char* reason = "seccompProfile";
    if (!said.setters.empty()) {
        const auto note = [&](const Json& object) {
            const std::string type(string_at(object, {"securityContext", "seccompProfile", "type"}));
            const bool given = find(object, {"securityContext", "seccompProfile"}) != nullptr;
            if (given && type != "RuntimeDefault" && type != "Localhost") values.insert(type);
        };
        note(spec);
        for (const char* list : {"initContainers", "containers", "ephemeralContainers"}) {
            for (const Json& container : array_at(spec, {list})) note(container);
        }
        return {reason, join(said.setters, " and ") + " must not set securityContext.seccompProfile.type to " +
                            join_quoted(Texts(values.begin(), values.end()))};
    }
    if (said.silent.empty()) return {};
    return {reason, "pod or " + quoted_containers(said.silent) +
                        " must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\""};
}

template <PodSecurityViolation (*check)(const Json&, const Json&)>
PodSecurityViolation not_on_windows(const Json& metadata, const Json& spec) {
    return on_windows(spec) ? PodSecurityViolation() : check(metadata, spec);
}

template <PodSecurityViolation (*check)(const Json&, const Json&)>
PodSecurityViolation of_host_users(const Json& metadata, const Json& spec) {
    return has_user_namespace(spec) ? PodSecurityViolation() : check(metadata, spec);
}

constexpr PodSecurityCheck checks[] = {
    {"allowPrivilegeEscalation", 8, privilege_escalation},
    {"allowPrivilegeEscalation", 25, not_on_windows<privilege_escalation>},
    {"capabilities_restricted", 22, capabilities, "capabilities_baseline"},
    {"capabilities_restricted", 25, not_on_windows<capabilities>, "capabilities_baseline"},
    {"procMount_restricted", 35, check_proc_mount, "procMount"},
    {"restrictedVolumes", 0, volumes, "hostPathVolumes"},
    {"runAsNonRoot", 0, run_as_non_root},
    {"runAsNonRoot", 35, of_host_users<run_as_non_root>},
    {"runAsUser", 23, run_as_user},
    {"runAsUser", 35, of_host_users<run_as_user>},
    {"seccompProfile_restricted", 19, seccomp, "seccompProfile_baseline"},
    {"seccompProfile_restricted", 25, not_on_windows<seccomp>, "seccompProfile_baseline"}};

}  // namespace

std::span<const PodSecurityCheck> restricted_checks() {
    return checks;
}

}  // namespace kubemu::api
