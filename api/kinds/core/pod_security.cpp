// Security contexts of pods and containers: identities, sysctls, seccomp and AppArmor profiles.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/kinds/core/pod_checks.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/validation.h"
#include "api/values/text.h"

namespace kubemu::api::pods {
namespace {

constexpr std::size_t sysctl_length_max = 253, profile_length_max = 4095;

constexpr GoField security_context_fields[] = {
    {"Capabilities", "capabilities", "*core.Capabilities"},
    {"Privileged", "privileged", "*bool"},
    {"SELinuxOptions", "seLinuxOptions", "*core.SELinuxOptions"},
    {"WindowsOptions", "windowsOptions", "*core.WindowsSecurityContextOptions"},
    {"RunAsUser", "runAsUser", "*int64"},
    {"RunAsGroup", "runAsGroup", "*int64"},
    {"RunAsNonRoot", "runAsNonRoot", "*bool"},
    {"ReadOnlyRootFilesystem", "readOnlyRootFilesystem", "*bool"},
    {"AllowPrivilegeEscalation", "allowPrivilegeEscalation", "*bool"},
    {"ProcMount", "procMount", "*core.ProcMountType"},
    {"SeccompProfile", "seccompProfile", "*core.SeccompProfile"}};

std::string_view text(const Json& object, std::string_view member) { return string_at(object, {member}); }

void validate_seccomp(const Json* profile, const FieldPath& path, FieldErrors& errors) {
    constexpr GoField fields[] = {{"Type", "type", "string"}, {"LocalhostProfile", "localhostProfile", "*string"}};
    if (profile == nullptr) return;
    const std::string_view type = text(*profile, "type");
    const Json* local = find(*profile, "localhostProfile");
    if (type.empty()) errors.required(path.child("type"), "type is required when seccompProfile is set");
    else validate_optional_enum(type, {"Localhost", "RuntimeDefault", "Unconfined"}, path.child("type"), errors);
    if (type == "Localhost") {
        if (local == nullptr) {
            errors.required(path.child("localhostProfile"), "must be set when seccomp type is Localhost");
        } else {
            validate_local_descending_path(text(*profile, "localhostProfile"), path.child("localhostProfile"), errors);
        }
    } else if (local != nullptr) {
        errors.invalid(path.child("localhostProfile"), go_struct("core.SeccompProfile", fields, *profile),
                       "can only be set when seccomp type is Localhost");
    }
}

void validate_app_armor(const Json* profile, const FieldPath& path, FieldErrors& errors) {
    if (profile == nullptr) return;
    const std::string_view type = text(*profile, "type"), local = text(*profile, "localhostProfile");
    const bool given = find(*profile, "localhostProfile") != nullptr;
    const FieldPath at = path.child("localhostProfile");
    if (type == "Localhost") {
        if (!given || local.empty()) {
            errors.required(at, "must be set when AppArmor type is Localhost");
        } else if (trim(local) != local) {
            errors.invalid(at, std::string(local), "must not be padded with whitespace");
        }
        if (local.size() > profile_length_max) errors.too_long(at, profile_length_max);
    } else if (type == "RuntimeDefault" || type == "Unconfined") {
        if (given) errors.invalid(at, std::string(local), "can only be set when AppArmor type is Localhost");
    } else if (type.empty()) {
        errors.required(path.child("type"), "type is required when appArmorProfile is set");
    } else {
        errors.not_supported(path.child("type"), type, {"Localhost", "RuntimeDefault", "Unconfined"});
    }
}

// Segments of lower-case letters, digits, '-' and '_' that neither begin nor end with the latter, joined by '.' or '/'.
bool valid_sysctl_name(std::string_view name) {
    if (name.empty() || name.size() > sysctl_length_max) return false;
    bool inside = false, last_plain = false;
    for (const char c : name) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (c == '.' || c == '/') {
            if (!last_plain) return false;
            inside = false;
        } else if (plain || (inside && (c == '-' || c == '_'))) {
            inside = true;
        } else {
            return false;
        }
        last_plain = plain;
    }
    return last_plain;
}

// The kernel namespace of a sysctl (component-helpers/node/util/sysctl.GetNamespace).
std::string_view sysctl_namespace(std::string_view name) {
    std::string dotted(name);
    // Of '.' and '/' the first is the separator.
    if (const std::size_t first = dotted.find_first_of("./"); first != std::string::npos && dotted[first] == '/') {
        std::replace(dotted.begin(), dotted.end(), '/', '.');
    }
    for (const char* ipc : {"kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
                            "kernel.shm", "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.msg"}) {
        if (dotted == ipc) return "ipc";
    }
    if (dotted.starts_with("fs.mqueue.")) return "ipc";
    return dotted.starts_with("net.") ? "net" : "";
}

void validate_sysctls(const Json& sysctls, const PodContext& context, const FieldPath& path, FieldErrors& errors) {
    std::set<std::string_view> names;
    std::size_t i = 0;
    for (const Json& sysctl : sysctls) {
        const FieldPath at = path.index(i++).child("name");
        const std::string_view name = text(sysctl, "name");
        if (name.empty()) {
            errors.required(at, "");
        } else if (!valid_sysctl_name(name)) {
            errors.invalid(at, std::string(name),
                           "must have at most 253 characters and match regex "
                           "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$");
        } else if (names.contains(name)) {
            errors.duplicate(at, std::string(name));
        }
        names.insert(name);
        const std::string_view space = sysctl_namespace(name);
        if (context.host_network && space == "net") {
            errors.invalid(at, std::string(name), "may not be specified when 'hostNetwork' is true");
        } else if (context.host_ipc && space == "ipc") {
            errors.invalid(at, std::string(name), "may not be specified when 'hostIPC' is true");
        }
    }
}

void validate_privileges(const Json& security, const FieldPath& path, FieldErrors& errors) {
    const Json* escalation = find(security, "allowPrivilegeEscalation");
    if (escalation == nullptr || bool_at(security, {"allowPrivilegeEscalation"})) return;
    const auto refuse = [&](std::string_view what) {
        errors.invalid(path, go_struct("core.SecurityContext", security_context_fields, security),
                       "cannot set `allowPrivilegeEscalation` to false and " + std::string(what));
    };
    if (bool_at(security, {"privileged"})) refuse("`privileged` to true");
    for (const Json& capability : array_at(security, {"capabilities", "add"})) {
        if (capability == "CAP_SYS_ADMIN") refuse("`capabilities.Add` CAP_SYS_ADMIN");
    }
}

}  // namespace

void validate_security_context(const Json& container, const PodContext& context, const FieldPath& path, FieldErrors& errors) {
    const Json* security = find(container, "securityContext");
    if (security == nullptr) return;
    const FieldPath at = path.child("securityContext");
    validate_id(*security, "runAsUser", at, errors);
    validate_id(*security, "runAsGroup", at, errors);
    if (const std::string_view mount = text(*security, "procMount"); !mount.empty()) {
        validate_optional_enum(mount, {"Default", "Unmasked"}, at.child("procMount"), errors);
        if (context.host_users && mount == "Unmasked") {
            errors.invalid(at.child("procMount"), std::string(mount), "`hostUsers` must be false to use `Unmasked`");
        }
    }
    validate_seccomp(find(*security, "seccompProfile"), at.child("seccompProfile"), errors);
    validate_privileges(*security, at, errors);
    validate_windows_options(find(*security, "windowsOptions"), at.child("windowsOptions"), errors);
    validate_app_armor(find(*security, "appArmorProfile"), at.child("appArmorProfile"), errors);
}

void validate_pod_security_context(const PodContext& context, const FieldPath& path, FieldErrors& errors) {
    const Json* security = find(context.spec, "securityContext");
    const Json* share = find(context.spec, "shareProcessNamespace");
    const bool shares_all = share != nullptr && bool_at(context.spec, {"shareProcessNamespace"}) && context.host_pid;
    if (!shares_all && (security == nullptr || security->empty())) return;
    const FieldPath at = path.child("securityContext");
    const Json& given = security == nullptr ? object_at(context.spec, {"securityContext"}) : *security;
    for (const char* member : {"fsGroup", "runAsUser", "runAsGroup"}) validate_id(given, member, at, errors);
    std::size_t i = 0;
    for (const Json& group : array_at(given, {"supplementalGroups"})) {
        validate_range(group.is_number() ? group.get<std::int64_t>() : 0, 0, 2147483647,
                       at.child("supplementalGroups").index(i++), errors);
    }
    if (shares_all) {
        errors.invalid(at.child("shareProcessNamespace"), true, "ShareProcessNamespace and HostPID cannot both be enabled");
    }
    if (const Json* sysctls = find(given, "sysctls")) validate_sysctls(*sysctls, context, at.child("sysctls"), errors);
    const auto one_of = [&](const char* member, std::initializer_list<std::string_view> supported) {
        validate_given_enum(given, member, supported, at, errors);
    };
    one_of("fsGroupChangePolicy", {"Always", "OnRootMismatch"});
    validate_seccomp(find(given, "seccompProfile"), at.child("seccompProfile"), errors);
    validate_windows_options(find(given, "windowsOptions"), at.child("windowsOptions"), errors);
    validate_app_armor(find(given, "appArmorProfile"), at.child("appArmorProfile"), errors);
    one_of("supplementalGroupsPolicy", {"Merge", "Strict"});
    // Volumes are not mounted with a label: the gate SELinuxMount is off.
    one_of("seLinuxChangePolicy", {"Recursive"});
}

}  // namespace kubemu::api::pods
