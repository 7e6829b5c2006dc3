// The baseline standard: no known ways out of a pod.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "api/admission/pod_security_checks.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

using Texts = std::vector<std::string>;

Texts list_of(const std::set<std::string>& set) {
    return Texts(set.begin(), set.end());
}

template <class Visit>
void each_container(const Json& spec, const Visit& visit) {
    for (const char* list : {"initContainers", "containers", "ephemeralContainers"}) {
        for (const Json& container : array_at(spec, {list})) visit(container);
    }
}

// "pod", `containers "a", "b"` or both, with "and".
Texts setters(bool pod, const Texts& containers) {
    Texts texts;
    if (pod) texts.emplace_back("pod");
    if (!containers.empty()) texts.push_back(quoted_containers(containers));
    return texts;
}

bool allowed_profile(std::string_view type) {
    return type == "RuntimeDefault" || type == "Localhost";
}

// Values of a profile's type that are not allowed, and who sets them. `member` is of a securityContext.
struct BadProfiles {
    BadProfiles(const Json& spec, const char* member) {
        const auto bad = [&](const Json& object) {
            const Json* profile = find(object, {"securityContext", member});
            if (profile == nullptr || allowed_profile(string_at(*profile, {"type"}))) return false;
            values.insert(std::string(string_at(*profile, {"type"})));
            return true;
        };
        pod = bad(spec);
        each_container(spec, [&](const Json& container) {
            if (bad(container)) containers.emplace_back(string_at(container, {"name"}));
        });
    }
    bool pod = false;
    Texts containers;
    std::set<std::string> values;
};

PodSecurityViolation app_armor(const Json& metadata, const Json& spec) {
    const BadProfiles bad(spec, "appArmorProfile");
    Texts who = setters(bad.pod, bad.containers), values = list_of(bad.values), annotations;
    for (const auto& [key, value] : object_at(metadata, {"annotations"}).items()) {
        if (!std::string_view(key).starts_with("container.apparmor.security.beta.kubernetes.io/") || !value.is_string())
            continue;
        const auto& profile = value.get_ref<const std::string&>();
        if (profile.empty() || profile == "runtime/default" || profile.starts_with("localhost/")) continue;
        annotations.push_back(key + "=" + go_quote(profile));
    }
    if (!annotations.empty()) {
        values.insert(values.end(), annotations.begin(), annotations.end());
        who.push_back(pluralize("annotation", "annotations", annotations.size()));
    }
    if (who.empty()) return {};
    return {pluralize("forbidden AppArmor profile", "forbidden AppArmor profiles", values.size()),
            join(who, " and ") + " must not set AppArmor profile type to " + join_quoted(values)};
}

PodSecurityViolation capabilities(const Json&, const Json& spec) {
    static const std::set<std::string> allowed = {"AUDIT_WRITE", "CHOWN",  "DAC_OVERRIDE",     "FOWNER",  "FSETID",
                                                  "KILL",        "MKNOD",  "NET_BIND_SERVICE", "SETFCAP", "SETGID",
                                                  "SETPCAP",     "SETUID", "SYS_CHROOT"};
    Texts containers;
    std::set<std::string> added;
    each_container(spec, [&](const Json& container) {
        bool bad = false;
        for (const Json& item : array_at(container, {"securityContext", "capabilities", "add"})) {
            const std::string name = item.is_string() ? item.get<std::string>() : std::string();
            if (allowed.contains(name)) continue;
            bad = true;
            added.insert(name);
        }
        if (bad) containers.emplace_back(string_at(container, {"name"}));
    });
    if (containers.empty()) return {};
    return {"non-default capabilities", quoted_containers(containers) + " must not include " +
                                            join_quoted(list_of(added)) + " in securityContext.capabilities.add"};
}

PodSecurityViolation host_namespaces(const Json&, const Json& spec) {
    Texts shared;
    for (const char* member : {"hostNetwork", "hostPID", "hostIPC"}) {
        if (bool_at(spec, {member})) shared.push_back(std::string(member) + "=true");
    }
    if (shared.empty()) return {};
    return {"host namespaces", join(shared, ", ")};
}

PodSecurityViolation host_path_volumes(const Json&, const Json& spec) {
    Texts names;
    for (const Json& volume : array_at(spec, {"volumes"})) {
        if (find(volume, "hostPath") != nullptr) names.emplace_back(string_at(volume, {"name"}));
    }
    if (names.empty()) return {};
    return {"hostPath volumes", pluralize("volume", "volumes", names.size()) + " " + join_quoted(names)};
}

PodSecurityViolation host_ports(const Json&, const Json& spec) {
    Texts containers;
    std::set<std::string> ports;
    each_container(spec, [&](const Json& container) {
        bool bad = false;
        for (const Json& port : array_at(container, {"ports"})) {
            if (int_at(port, {"hostPort"}) == 0) continue;
            bad = true;
            ports.insert(std::to_string(int_at(port, {"hostPort"})));
        }
        if (bad) containers.emplace_back(string_at(container, {"name"}));
    });
    if (containers.empty()) return {};
    return {"hostPort", quoted_containers(containers) + " " + pluralize("uses", "use", containers.size()) + " " +
                            pluralize("hostPort", "hostPorts", ports.size()) + " " + join(list_of(ports), ", ")};
}

PodSecurityViolation probe_hosts(const Json&, const Json& spec) {
    std::set<std::string> containers, hosts;
    each_container(spec, [&](const Json& container) {
        const auto visit = [&](std::initializer_list<std::string_view> path) {
            const Json* handler = find(container, path);
            if (handler == nullptr) return;
            for (const char* action : {"httpGet", "tcpSocket"}) {
                const std::string_view host = string_at(*handler, {action, "host"});
                if (host.empty()) continue;
                containers.emplace(string_at(container, {"name"}));
                hosts.emplace(host);
            }
        };
        for (const char* probe : {"livenessProbe", "readinessProbe", "startupProbe"}) visit({probe});
        visit({"lifecycle", "postStart"});
        visit({"lifecycle", "preStop"});
    });
    if (containers.empty()) return {};
    return {"probe or lifecycle host",
            quoted_containers(list_of(containers)) + " " + pluralize("uses", "use", containers.size()) + " " +
                pluralize("probe or lifecycle host", "probe or lifecycle hosts", hosts.size()) + " " +
                join_quoted(list_of(hosts))};
}

PodSecurityViolation privileged(const Json&, const Json& spec) {
    const Texts containers = containers_where(spec, [](const Json& container) {
        return bool_at(container, {"securityContext", "privileged"});
    });
    if (containers.empty()) return {};
    return {"privileged", quoted_containers(containers) + " must not set securityContext.privileged=true"};
}

PodSecurityViolation proc_mount_of_host_users(const Json& metadata, const Json& spec) {
    return has_user_namespace(spec) ? PodSecurityViolation() : check_proc_mount(metadata, spec);
}

PodSecurityViolation se_linux(const Json& spec, bool engine_allowed) {
    std::set<std::string> types;
    bool user = false, role = false;
    const auto bad = [&](const Json& object) {
        const Json* options = find(object, {"securityContext", "seLinuxOptions"});
        if (options == nullptr) return false;
        const std::string type(string_at(*options, {"type"}));
        const bool allowed = type.empty() || type == "container_t" || type == "container_init_t" ||
                             type == "container_kvm_t" || (engine_allowed && type == "container_engine_t");
        const bool sets_user = !string_at(*options, {"user"}).empty(),
                   sets_role = !string_at(*options, {"role"}).empty();
        if (!allowed) types.insert(type);
        user = user || sets_user;
        role = role || sets_role;
        return !allowed || sets_user || sets_role;
    };
    const bool pod = bad(spec);
    Texts containers;
    each_container(spec, [&](const Json& container) {
        if (bad(container)) containers.emplace_back(string_at(container, {"name"}));
    });
    const Texts who = setters(pod, containers);
    if (who.empty()) return {};
    Texts what;
    if (!types.empty()) what.push_back(pluralize("type", "types", types.size()) + " " + join_quoted(list_of(types)));
    if (user) what.emplace_back("user may not be set");
    if (role) what.emplace_back("role may not be set");
    return {"seLinuxOptions",
            join(who, " and ") + " set forbidden securityContext.seLinuxOptions: " + join(what, "; ")};
}

PodSecurityViolation se_linux_1_0(const Json&, const Json& spec) {
    return se_linux(spec, false);
}
PodSecurityViolation se_linux_1_31(const Json&, const Json& spec) {
    return se_linux(spec, true);
}

PodSecurityViolation seccomp_annotations(const Json& metadata, const Json& spec) {
    const Json& annotations = object_at(metadata, {"annotations"});
    std::set<std::string> forbidden;
    const auto visit = [&](const std::string& key) {
        if (!annotations.contains(key)) return;
        const std::string value(string_at(annotations, {key}));
        if (value == "runtime/default" || value == "docker/default" || value.starts_with("localhost/")) return;
        forbidden.insert(key + "=" + go_quote(value));
    };
    visit("seccomp.security.alpha.kubernetes.io/pod");
    each_container(spec, [&](const Json& container) {
        visit("container.seccomp.security.alpha.kubernetes.io/" + std::string(string_at(container, {"name"})));
    });
    if (forbidden.empty()) return {};
    return {"seccompProfile", "forbidden " + pluralize("annotation", "annotations", forbidden.size()) + " " +
                                  join(list_of(forbidden), ", ")};
}

PodSecurityViolation seccomp_profiles(const Json&, const Json& spec) {
    const BadProfiles bad(spec, "seccompProfile");
    const Texts who = setters(bad.pod, bad.containers);
    if (who.empty()) return {};
    return {"seccompProfile", join(who, " and ") + " must not set securityContext.seccompProfile.type to " +
                                  join_quoted(list_of(bad.values))};
}

// Safe ones, in the order in which releases allowed them.
struct AllowedSysctl {
    std::string_view name;
    int since_minor;
};
constexpr AllowedSysctl allowed_sysctls[] = {{"kernel.shm_rmid_forced", 0},
                                             {"net.ipv4.ip_local_port_range", 0},
                                             {"net.ipv4.tcp_syncookies", 0},
                                             {"net.ipv4.ping_group_range", 0},
                                             {"net.ipv4.ip_unprivileged_port_start", 0},
                                             {"net.ipv4.ip_local_reserved_ports", 27},
                                             {"net.ipv4.tcp_keepalive_time", 29},
                                             {"net.ipv4.tcp_fin_timeout", 29},
                                             {"net.ipv4.tcp_keepalive_intvl", 29},
                                             {"net.ipv4.tcp_keepalive_probes", 29},
                                             {"net.ipv4.tcp_rmem", 32},
                                             {"net.ipv4.tcp_wmem", 32}};

template <int minor>
PodSecurityViolation sysctls(const Json&, const Json& spec) {
    Texts forbidden;
    for (const Json& sysctl : array_at(spec, {"securityContext", "sysctls"})) {
        const std::string_view name = string_at(sysctl, {"name"});
        const bool allowed =
            std::any_of(std::begin(allowed_sysctls), std::end(allowed_sysctls),
                        [&](const AllowedSysctl& each) { return each.name == name && each.since_minor <= minor; });
        if (!allowed) forbidden.emplace_back(name);
    }
    if (forbidden.empty()) return {};
    return {"forbidden sysctls", join(forbidden, ", ")};
}

PodSecurityViolation host_process(const Json&, const Json& spec) {
    const auto asks = [](const Json& object) {
        return bool_at(object, {"securityContext", "windowsOptions", "hostProcess"});
    };
    const Texts who = setters(asks(spec), containers_where(spec, asks));
    if (who.empty()) return {};
    return {"hostProcess", join(who, " and ") + " must not set securityContext.windowsOptions.hostProcess=true"};
}

constexpr PodSecurityCheck checks[] = {{"appArmorProfile", 0, app_armor},
                                       {"capabilities_baseline", 0, capabilities},
                                       {"hostNamespaces", 0, host_namespaces},
                                       {"hostPathVolumes", 0, host_path_volumes},
                                       {"hostPorts", 0, host_ports},
                                       {"hostProbesAndHostLifecycle", 34, probe_hosts},
                                       {"privileged", 0, privileged},
                                       {"procMount", 0, check_proc_mount},
                                       {"procMount", 35, proc_mount_of_host_users},
                                       {"seLinuxOptions", 0, se_linux_1_0},
                                       {"seLinuxOptions", 31, se_linux_1_31},
                                       {"seccompProfile_baseline", 0, seccomp_annotations},
                                       {"seccompProfile_baseline", 19, seccomp_profiles},
                                       {"sysctls", 0, sysctls<0>},
                                       {"sysctls", 27, sysctls<27>},
                                       {"sysctls", 29, sysctls<29>},
                                       {"sysctls", 32, sysctls<32>},
                                       {"windowsHostProcess", 0, host_process}};

}  // namespace

PodSecurityViolation check_proc_mount(const Json&, const Json& spec) {
    Texts containers;
    std::set<std::string> types;
    each_container(spec, [&](const Json& container) {
        const std::string type(string_at(container, {"securityContext", "procMount"}));
        if (type.empty() || type == "Default") return;
        containers.emplace_back(string_at(container, {"name"}));
        types.insert(type);
    });
    if (containers.empty()) return {};
    return {"procMount", quoted_containers(containers) + " must not set securityContext.procMount to " +
                             join_quoted(list_of(types))};
}

std::span<const PodSecurityCheck> baseline_checks() {
    return checks;
}

}  // namespace kubemu::api
