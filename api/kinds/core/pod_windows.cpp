// What depends on the operating system of a pod: options of Windows, host process containers, user namespaces.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/kinds/core/pod_checks.h"
#include "api/kinds/validation.h"
#include "api/values/text.h"

namespace kubemu::api::pods {
namespace {

constexpr std::size_t credential_spec_bytes_max = 64 * 1024, domain_length_max = 256, user_length_max = 104;

std::string_view text(const Json& object, std::string_view member) { return string_at(object, {member}); }

bool valid_net_bios_name(std::string_view name) {
    constexpr std::string_view bad = "\\/:*?\"<>|";
    return !name.empty() && name.size() <= 15 && name[0] != '.' && name.find_first_of(bad) == std::string_view::npos;
}

bool valid_domain(std::string_view name) {
    for (const std::string_view label : split(name, '.')) {
        if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
        for (const char c : label) {
            const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
            if (!good) return false;
        }
    }
    return true;
}

void validate_user_name(std::string_view name, const FieldPath& path, FieldErrors& errors) {
    const auto refuse = [&](const std::string& what) { errors.invalid(path, std::string(name), "runAsUserName" + what); };
    if (name.empty()) return refuse(" cannot be an empty string");
    if (std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < 32 || c == 127; })) {
        return refuse(" cannot contain control characters");
    }
    const auto parts = split(name, '\\');
    if (parts.size() > 2) return refuse(" cannot contain more than one backslash");
    const std::string_view user = parts.back(), domain = parts.size() == 2 ? parts[0] : std::string_view();
    if (domain.size() >= domain_length_max) refuse("'s Domain length must be under 256 characters");
    if (parts.size() == 2 && !valid_net_bios_name(domain) && !valid_domain(domain)) {
        refuse("'s Domain doesn't match the NetBios nor the DNS format");
    }
    if (user.empty()) refuse("'s User cannot be empty");
    else if (user.size() > user_length_max) refuse("'s User length must not be longer than 104 characters");
    if (!user.empty() && user.find_first_not_of(". ") == std::string_view::npos) {
        refuse("'s User cannot contain only periods or spaces");
    }
    if (user.find_first_of("\"/\\:;|=,+*?<>@[]") != std::string_view::npos) {
        refuse("'s User cannot contain the following characters: \"/\\:;|=,+*?<>@[]");
    }
}

const Json* host_process(const Json& owner) { return find(owner, {"securityContext", "windowsOptions", "hostProcess"}); }
bool is_true(const Json* value) { return value != nullptr && value->is_boolean() && value->get<bool>(); }

void validate_linux(const Json& spec, const FieldPath& path, FieldErrors& errors) {
    constexpr std::string_view message = "windows options cannot be set for a linux pod";
    const auto check = [&](const Json& owner, const FieldPath& at) {
        if (find(owner, {"securityContext", "windowsOptions"}) != nullptr) {
            errors.forbidden(at.child("securityContext").child("windowsOptions"), message);
        }
    };
    check(spec, path);
    visit_containers(spec, path, check);
}

void validate_windows(const Json& spec, const FieldPath& path, FieldErrors& errors) {
    struct Member {
        std::string_view name;
        bool of_spec;  // in spec itself, not in its securityContext
    };
    constexpr Member of_pod[] = {{"appArmorProfile", false},     {"seLinuxOptions", false},
                                 {"hostUsers", true},            {"hostPID", true},
                                 {"hostIPC", true},              {"seccompProfile", false},
                                 {"fsGroup", false},             {"fsGroupChangePolicy", false},
                                 {"sysctls", false},             {"shareProcessNamespace", true},
                                 {"runAsUser", false},           {"runAsGroup", false},
                                 {"supplementalGroups", false},  {"supplementalGroupsPolicy", false},
                                 {"seLinuxChangePolicy", false}};
    constexpr std::string_view of_container[] = {
        "appArmorProfile", "seLinuxOptions", "seccompProfile",           "capabilities", "readOnlyRootFilesystem",
        "privileged",      "allowPrivilegeEscalation", "procMount", "runAsUser",    "runAsGroup"};
    constexpr std::string_view message = "cannot be set for a windows pod";
    const Json& security = object_at(spec, {"securityContext"});
    for (const Member& member : of_pod) {
        const Json* value = find(member.of_spec ? spec : security, member.name);
        if (value == nullptr) continue;
        errors.forbidden((member.of_spec ? path : path.child("securityContext")).child(member.name), message);
    }
    visit_containers(spec, path, [&](const Json& container, const FieldPath& at) {
        const Json& own = object_at(container, {"securityContext"});
        for (const std::string_view member : of_container) {
            if (find(own, member) != nullptr) errors.forbidden(at.child("securityContext").child(member), message);
        }
    });
}

}  // namespace

void validate_windows_options(const Json* options, const FieldPath& path, FieldErrors& errors) {
    if (options == nullptr) return;
    if (find(*options, "gmsaCredentialSpecName") != nullptr) {
        validate_dns1123_subdomain(text(*options, "gmsaCredentialSpecName"), path.child("gmsaCredentialSpecName"), errors);
    }
    if (const Json* credential = find(*options, "gmsaCredentialSpec")) {
        const std::size_t bytes = text(*options, "gmsaCredentialSpec").size();
        const FieldPath at = path.child("gmsaCredentialSpec");
        if (bytes == 0) errors.invalid(at, *credential, "gmsaCredentialSpec cannot be an empty string");
        if (bytes > credential_spec_bytes_max) errors.invalid(at, *credential, "gmsaCredentialSpec size must be under 64 KiB");
    }
    if (find(*options, "runAsUserName") != nullptr) {
        validate_user_name(text(*options, "runAsUserName"), path.child("runAsUserName"), errors);
    }
}

void validate_windows_host_process(const PodContext& context, const FieldPath& path, FieldErrors& errors) {
    std::size_t containers = 0, host_processes = 0;
    const Json* of_pod = host_process(context.spec);
    for (const char* list : {"initContainers", "containers", "ephemeralContainers"}) {
        std::size_t i = 0;
        for (const Json& container : array_at(context.spec, {list})) {
            const std::size_t index = i++;
            ++containers;
            const Json* own = host_process(container);
            if (of_pod != nullptr && own != nullptr && is_true(of_pod) != is_true(own)) {
                const FieldPath at = path.child(list).index(index).child("securityContext").child("windowsOptions");
                errors.invalid(at.child("hostProcess"), *own,
                               std::string("pod hostProcess value must be identical if both are specified, was ") +
                                   (is_true(of_pod) ? "true" : "false"));
            }
            if (is_true(own) || (own == nullptr && is_true(of_pod))) ++host_processes;
        }
    }
    if (host_processes == 0) return;
    if (host_processes != containers) {
        errors.invalid(path, "", "If pod contains any hostProcess containers then all containers must be HostProcess containers");
    }
    if (!context.host_network) {
        errors.invalid(path.child("hostNetwork"), false, "hostNetwork must be true if pod contains any hostProcess containers");
    }
}

void validate_host_users(const PodContext& context, const FieldPath& path, FieldErrors& errors) {
    constexpr std::string_view message = "when `hostUsers` is false";
    if (context.host_users) return;
    if (context.host_network) errors.forbidden(path.child("hostNetwork"), message);
    if (context.host_pid) errors.forbidden(path.child("HostPID"), message);
    if (context.host_ipc) errors.forbidden(path.child("HostIPC"), message);
    visit_containers(context.spec, path, [&](const Json& container, const FieldPath& at) {
        if (!array_at(container, {"volumeDevices"}).empty()) errors.forbidden(at.child("volumeDevices"), message);
    });
}

void validate_os(const PodContext& context, const FieldPath& path, FieldErrors& errors) {
    if (find(context.spec, "os") == nullptr) return;
    const FieldPath at = path.child("os");
    if (context.os.empty()) return errors.required(at.child("name"), "");
    if (context.os == "linux") validate_linux(context.spec, path, errors);
    else if (context.os == "windows") validate_windows(context.spec, path, errors);
    else errors.not_supported(at, context.os, {"linux", "windows"});
}

}  // namespace kubemu::api::pods
