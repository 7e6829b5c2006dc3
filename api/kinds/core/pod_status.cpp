// Updates of a pod's status: what the kubelet may report, and what has happened for good.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/kinds/core/pod_checks.h"
#include "api/kinds/core/pod_spec.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/validation.h"

namespace kubemu::api {
namespace {

constexpr std::size_t health_message_bytes_max = 1024;

std::string_view text(const Json& object, std::string_view member) { return string_at(object, {member}); }

const Json* by_name(const Json& list, std::string_view name) {
    for (const Json& item : list) {
        if (text(item, "name") == name) return &item;
    }
    return nullptr;
}

void validate_conditions(const Json& conditions, const FieldPath& path, FieldErrors& errors) {
    std::size_t i = 0;
    for (const Json& condition : conditions) {
        const FieldPath at = path.index(i++);
        if (int_at(condition, {"observedGeneration"}) < 0) {
            errors.invalid(at.child("observedGeneration"), condition["observedGeneration"], "must be a non-negative integer");
        }
        const std::string_view type = text(condition, "type");
        if (type == "PodScheduled" || type == "Ready" || type == "Initialized") continue;
        validate_qualified_name(type, at.child("Type"), errors);
    }
}

bool rule_matches(const Json& rule, std::int64_t exit_code) {
    const Json& values = array_at(rule, {"exitCodes", "values"});
    const bool listed = std::find(values.begin(), values.end(), Json(exit_code)) != values.end();
    return string_at(rule, {"exitCodes", "operator"}) == "NotIn" ? !listed : listed;
}

// podutil.ContainerShouldRestart: the container's own policy goes before the pod's.
bool may_restart(const Json& container, std::string_view pod_policy, std::int64_t exit_code) {
    for (const Json& rule : array_at(container, {"restartPolicyRules"})) {
        if (rule_matches(rule, exit_code)) return text(rule, "action") == "Restart" || text(rule, "action") == "RestartAllContainers";
    }
    const std::string_view own = text(container, "restartPolicy");
    const std::string_view policy = own.empty() ? pod_policy : own;
    return policy == "Always" || (policy == "OnFailure" && exit_code != 0);
}

bool all_may_restart(const Json& spec) {
    for (const char* list : {"containers", "initContainers"}) {
        for (const Json& container : array_at(spec, {list})) {
            for (const Json& rule : array_at(container, {"restartPolicyRules"})) {
                if (text(rule, "action") == "RestartAllContainers") return true;
            }
        }
    }
    return false;
}

// What has ended for good must not run again. `containers`: their specs; null for ephemeral ones, which never restart.
void validate_transitions(const Json& status, const Json& before, const Json& spec, const char* list, const char* containers,
                          FieldErrors& errors) {
    const Json& now = array_at(status, {list});
    std::size_t i = 0;
    for (const Json& old : array_at(before, {list})) {
        const std::size_t index = i++;
        const Json* ended = find(old, {"state", "terminated"});
        const Json* current = by_name(now, text(old, "name"));
        if (ended == nullptr || current == nullptr || find(*current, {"state", "terminated"}) != nullptr) continue;
        if (containers != nullptr) {
            const Json* container = by_name(array_at(spec, {containers}), text(old, "name"));
            if (container != nullptr && may_restart(*container, text(spec, "restartPolicy"), int_at(*ended, {"exitCode"}))) continue;
        }
        errors.forbidden(FieldPath("status").child(list).index(index).child("state"),
                         "may not be transitioned to non-terminated state");
    }
}

void validate_claim_statuses(const Json& status, const Json& spec, FieldErrors& errors) {
    const FieldPath path("status.resourceClaimStatuses");
    std::set<std::string_view> names;
    std::size_t i = 0;
    for (const Json& claim : array_at(status, {"resourceClaimStatuses"})) {
        const FieldPath at = path.index(i++);
        const std::string_view name = text(claim, "name");
        if (by_name(array_at(spec, {"resourceClaims"}), name) == nullptr) {
            errors.invalid(at.child("name"), std::string(name), "must match the name of an entry in `spec.resourceClaims`");
        }
        if (!names.insert(name).second) errors.duplicate(at.child("name"), std::string(name));
        if (find(claim, "resourceClaimName") != nullptr) {
            validate_dns1123_subdomain(text(claim, "resourceClaimName"), at.child("resourceClaimName"), errors);
        }
    }
}

// The claim that was made for extended resources, and which container's resource each of its requests stands for.
void validate_extended_claim(const Json& status, const Json& spec, FieldErrors& errors) {
    const Json* claim = find(status, "extendedResourceClaimStatus");
    if (claim == nullptr) return;
    const FieldPath path("status.extendedResourceClaimStatus");
    const Json& mappings = array_at(*claim, {"requestMappings"});
    if (mappings.empty()) errors.required(path.child("requestMappings"), "at least one request mapping is required");
    std::set<std::vector<std::string_view>> seen;
    for (std::size_t i = 0; i < mappings.size(); ++i) {
        const FieldPath at = path.child("requestMappings").index(i);
        const std::string_view container_name = text(mappings[i], "containerName"), resource = text(mappings[i], "resourceName"),
                               request = text(mappings[i], "requestName");
        const Json* container = by_name(array_at(spec, {"containers"}), container_name);
        if (container == nullptr) container = by_name(array_at(spec, {"initContainers"}), container_name);
        if (container == nullptr) {
            errors.invalid(at.child("containerName"), std::string(container_name),
                           "must match the name of an entry in spec.initContainers.name or spec.containers.name");
        } else if (find(*container, {"resources", "requests", resource}) == nullptr) {
            errors.invalid(at.child("resourceName"), std::string(resource),
                           "must match the extended resource name of an entry in spec.initContainers.resources.requests or "
                           "spec.containers.resources.requests");
        }
        validate_dns1123_label(request, path.child("requestName"), errors);
        if (seen.insert({container_name, resource, request}).second) continue;
        for (const char* member : {"containerName", "resourceName", "requestName"}) {
            errors.duplicate(at.child(member), mappings[i].value(member, Json("")));
        }
    }
    const std::string_view name = text(*claim, "resourceClaimName");
    if (validate_required(name, path.child("resourceClaimName"), errors))
        validate_dns1123_subdomain(name, path.child("resourceClaimName"), errors);
}

// podIPs and hostIPs: addresses, at most one of each family.
void validate_addresses(const Json& addresses, const FieldPath& path, std::string_view type, FieldErrors& errors) {
    constexpr GoField fields[] = {{"IP", "ip", "string"}};
    bool parsed = true;
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        const std::string_view address = text(addresses[i], "ip");
        parsed = parsed && is_ip(address);
        validate_ip(address, path.index(i), errors);
    }
    if (addresses.size() < 2) return;
    if (!parsed) errors.internal(path, "failed to check for dual stack with error:invalid ip[0]");
    const bool dual = parsed && is_ipv6(text(addresses[0], "ip")) != is_ipv6(text(addresses[1], "ip"));
    if (dual && addresses.size() == 2) return;
    std::string echo = "[]" + std::string(type) + "{";
    for (std::size_t i = 0; i < addresses.size(); ++i) echo += (i > 0 ? ", " : "") + go_struct(type, fields, addresses[i]).text;
    errors.invalid(path, GoText{echo + "}"}, "may specify no more than one IP for each IP family");
}

void validate_host_addresses(const Json& status, FieldErrors& errors) {
    const Json& addresses = array_at(status, {"hostIPs"});
    if (addresses.empty()) return;
    const FieldPath path("status.hostIPs");
    if (text(status, "hostIP") != text(addresses[0], "ip")) {
        errors.invalid(path.index(0).child("ip"), std::string(text(addresses[0], "ip")), "must be equal to `hostIP`");
    }
    validate_addresses(addresses, path, "core.HostIP", errors);
}

void validate_users(const Json& status, std::string_view os, FieldErrors& errors) {
    for (const char* list : {"containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"}) {
        std::size_t i = 0;
        for (const Json& container : array_at(status, {list})) {
            const std::size_t index = i++;
            const Json* user = find(container, {"user", "linux"});
            if (user == nullptr) continue;
            const FieldPath at = FieldPath("status").child(list).index(index).child("user").child("linux");
            if (os == "windows") {
                errors.forbidden(at, "cannot be set for a windows pod");
                continue;
            }
            validate_id(*user, "uid", at, errors);
            validate_id(*user, "gid", at, errors);
            std::size_t group = 0;
            for (const Json& gid : array_at(*user, {"supplementalGroups"})) {
                validate_range(gid.get<std::int64_t>(), 0, 2147483647, at.child("supplementalGroups").index(group++), errors);
            }
        }
    }
}

bool has_resource(const Json& container, std::string_view name) {
    if (!name.starts_with("claim:")) return find(container, {"resources", "requests", name}) != nullptr;
    for (const Json& claim : array_at(container, {"resources", "claims"})) {
        std::string known = "claim:" + std::string(text(claim, "name"));
        if (const std::string_view request = text(claim, "request"); !request.empty()) known += "/" + std::string(request);
        if (known == name) return true;
    }
    return false;
}

void validate_health(const Json& resource, const FieldPath& path, FieldErrors& errors) {
    std::set<std::string_view> ids;
    std::size_t i = 0;
    for (const Json& device : array_at(resource, {"resources"})) {
        const FieldPath at = path.child("resources").index(i++);
        const std::string_view health = text(device, "health"), id = text(device, "resourceID");
        if (health != "Healthy" && health != "Unhealthy" && health != "Unknown") {
            errors.not_supported(at.child("health"), health, {"Healthy", "Unhealthy", "Unknown"});
        }
        if (find(device, "message") != nullptr) {
            const std::string_view message = text(device, "message");
            if (message.empty()) errors.required(at.child("message"), "must be non-empty if specified");
            if (message.size() > health_message_bytes_max) errors.too_long(at.child("message"), health_message_bytes_max);
        }
        if (!ids.insert(id).second) errors.duplicate(at.child("resourceID"), std::string(id));
    }
}

void validate_allocations(const Json& status, const Json& spec, const char* list, const char* containers, FieldErrors& errors) {
    std::size_t i = 0;
    for (const Json& container_status : array_at(status, {list})) {
        const FieldPath at = FieldPath("status").child(list).index(i++).child("allocatedResourcesStatus");
        const Json* container = by_name(array_at(spec, {containers}), text(container_status, "name"));
        std::size_t j = 0;
        for (const Json& resource : array_at(container_status, {"allocatedResourcesStatus"})) {
            const FieldPath where = at.index(j++);
            const std::string_view name = text(resource, "name");
            if (container != nullptr && !has_resource(*container, name)) {
                errors.invalid(where.child("name"), std::string(name),
                               name.starts_with("claim:")
                                   ? "must match one of the container's resource claims in a format "
                                     "'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty"
                                   : "must match one of the container's resource requests");
            }
            validate_health(resource, where, errors);
        }
    }
}

}  // namespace

void validate_pod_status_update(const Json& pod, const Json& old, FieldErrors& errors) {
    const Json& spec = object_at(old, {"spec"});
    const Json& status = object_at(pod, {"status"});
    const Json& before = object_at(old, {"status"});
    const FieldPath path("status");
    validate_conditions(array_at(status, {"conditions"}), path.child("conditions"), errors);
    const std::string_view nominated = text(status, "nominatedNodeName");
    if (!nominated.empty() && nominated != text(before, "nominatedNodeName")) {
        validate_dns1123_subdomain(nominated, path.child("nominatedNodeName"), errors);
    }
    if (!nominated.empty() && nominated != text(before, "nominatedNodeName") && !text(spec, "nodeName").empty()) {
        errors.forbidden(path.child("nominatedNodeName"), "may not be set on pods that are already bound to a node");
    }
    if (int_at(status, {"observedGeneration"}) < 0) {
        errors.invalid(path.child("observedGeneration"), status["observedGeneration"], "must be a non-negative integer");
    }
    if (text(status, "qosClass") != text(before, "qosClass")) {
        errors.invalid(path.child("qosClass"), std::string(text(status, "qosClass")), "field is immutable");
    }
    if (!all_may_restart(spec)) {
        validate_transitions(status, before, spec, "containerStatuses", "containers", errors);
        validate_transitions(status, before, spec, "initContainerStatuses", "initContainers", errors);
    }
    validate_transitions(status, before, spec, "ephemeralContainerStatuses", nullptr, errors);
    validate_claim_statuses(status, spec, errors);
    validate_extended_claim(status, spec, errors);
    validate_addresses(array_at(status, {"podIPs"}), path.child("podIPs"), "core.PodIP", errors);
    validate_host_addresses(status, errors);
    validate_users(status, string_at(spec, {"os", "name"}), errors);
    validate_allocations(status, spec, "containerStatuses", "containers", errors);
    validate_allocations(status, spec, "initContainerStatuses", "initContainers", errors);
    std::size_t i = 0;
    for (const Json& container : array_at(status, {"ephemeralContainerStatuses"})) {
        const FieldPath at = path.child("ephemeralContainerStatuses").index(i++).child("allocatedResourcesStatus");
        if (!array_at(container, {"allocatedResourcesStatus"}).empty()) {
            errors.forbidden(at, "must not be specified in container status");
        }
    }
}

}  // namespace kubemu::api
