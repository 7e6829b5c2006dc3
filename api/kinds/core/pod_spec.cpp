// The order in which a pod is checked.
#include "api/kinds/core/pod_spec.h"

#include <nlohmann/json.hpp>

#include "api/kinds/core/pod_checks.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/validation.h"
#include "api/values/names.h"

namespace kubemu::api {
namespace pods {

const Json* PodContext::volume(std::string_view name) const {
    for (const auto& [known, volume] : volumes) {
        if (known == name) return volume;
    }
    return nullptr;
}

void visit_containers(const Json& spec, const FieldPath& path, const ContainerVisitor& visit) {
    for (const char* list : {"initContainers", "containers", "ephemeralContainers"}) {
        const Json& containers = array_at(spec, {list});
        if (containers.empty()) continue;
        const FieldPath at = path.child(list);
        for (std::size_t i = 0; i < containers.size(); ++i) visit(containers[i], at.index(i));
    }
}

bool restarts_always(const Json& init_container) { return string_at(init_container, {"restartPolicy"}) == "Always"; }

namespace {

PodContext context_of(const Json& spec, const Json* metadata) {
    PodContext context{spec, metadata, metadata != nullptr, false, false, false, true, {}, {}, {}, {}, {}};
    context.host_network = bool_at(spec, {"hostNetwork"});
    context.host_pid = bool_at(spec, {"hostPID"});
    context.host_ipc = bool_at(spec, {"hostIPC"});
    context.host_users = bool_at(spec, {"hostUsers"}, true);
    if (find(spec, "terminationGracePeriodSeconds") != nullptr) {
        context.grace_seconds = int_at(spec, {"terminationGracePeriodSeconds"});
    }
    context.restart_policy = string_at(spec, {"restartPolicy"});
    context.os = string_at(spec, {"os", "name"});
    for (const Json& claim : array_at(spec, {"resourceClaims"})) {
        if (const std::string_view name = string_at(claim, {"name"}); !name.empty()) context.claims.push_back(name);
    }
    return context;
}

// With the node's network a port is the node's own. A template may leave host ports out: pods get them by default.
void validate_host_network_ports(const PodContext& context, const FieldPath& path, FieldErrors& errors) {
    if (!context.host_network) return;
    std::size_t c = 0;
    for (const Json& container : array_at(context.spec, {"containers"})) {
        const std::size_t at = c++;
        std::size_t p = 0;
        for (const Json& port : array_at(container, {"ports"})) {
            const std::size_t index = p++;
            const std::int64_t host = int_at(port, {"hostPort"});
            if ((!context.is_pod && host == 0) || host == int_at(port, {"containerPort"})) continue;
            errors.invalid(path.child("containers").index(at).child("ports").index(index).child("hostPort"), host,
                           "must match `containerPort` when `hostNetwork` is true");
        }
    }
}

void validate_names(const Json& spec, const FieldPath& path, FieldErrors& errors) {
    const auto check = [&](const char* member, Messages (*rule)(std::string_view)) {
        const std::string_view value = string_at(spec, {member});
        if (!value.empty()) add_invalid(rule(value), path.child(member), value, errors);
    };
    check("serviceAccountName", check_dns1123_subdomain);
    check("nodeName", check_dns1123_subdomain);
    if (const Json* seconds = find(spec, "activeDeadlineSeconds"); seconds != nullptr && seconds->is_number()) {
        validate_range(seconds->get<std::int64_t>(), 1, 2147483647, path.child("activeDeadlineSeconds"), errors);
    }
    check("hostname", check_dns1123_label);
    check("subdomain", check_dns1123_label);
}

void validate_scheduling(const PodContext& context, const FieldPath& path, FieldErrors& errors) {
    const Json& spec = context.spec;
    std::size_t i = 0;
    for (const Json& gate : array_at(spec, {"readinessGates"})) {
        const FieldPath at = path.child("readinessGates").index(i++).child("conditionType");
        validate_qualified_name(string_at(gate, {"conditionType"}), at, errors);
    }
    if (const Json* gates = find(spec, "schedulingGates")) {
        validate_scheduling_gates(*gates, path.child("schedulingGates"), errors);
    }
    if (const Json* constraints = find(spec, "topologySpreadConstraints")) {
        validate_topology_spread(*constraints, path.child("topologySpreadConstraints"), errors);
    }
    validate_windows_host_process(context, path, errors);
    validate_host_users(context, path, errors);
    validate_hostname_override(context, path, errors);
    validate_names(spec, path, errors);
}

void validate_last_parts(const PodContext& context, const FieldPath& path, FieldErrors& errors) {
    const Json& spec = context.spec;
    if (const Json* tolerations = find(spec, "tolerations")) {
        validate_tolerations(*tolerations, path.child("tolerations"), errors);
    }
    if (const Json* aliases = find(spec, "hostAliases")) validate_host_aliases(*aliases, path.child("hostAliases"), errors);
    for (const char* member : {"priorityClassName", "runtimeClassName"}) {
        if (find(spec, member) != nullptr) {
            validate_dns1123_subdomain(string_at(spec, {member}), path.child(member), errors);
        }
    }
    if (find(spec, "preemptionPolicy") != nullptr) {
        validate_enum(string_at(spec, {"preemptionPolicy"}), {"PreemptLowerPriority", "Never"}, path.child("preemptionPolicy"),
                      errors);
    }
    validate_overhead(spec, path, errors);
    validate_os(context, path, errors);
    validate_file_key_volumes(context, path, errors);
}

}  // namespace
}  // namespace pods

void validate_pod_spec(const Json& spec, const Json* metadata, const FieldPath& path, FieldErrors& errors) {
    using namespace pods;
    PodContext context = context_of(spec, metadata);
    if (find(spec, "volumes") != nullptr) validate_volumes(context, path.child("volumes"), errors);
    if (!context.claims.empty() || find(spec, "resourceClaims") != nullptr) {
        validate_resource_claims(context, path.child("resourceClaims"), errors);
    }
    validate_containers(context, path.child("containers"), errors);
    validate_init_containers(context, path.child("initContainers"), errors);
    validate_ephemeral_containers(context, path.child("ephemeralContainers"), errors);
    validate_pod_level_resources(context, path, errors);
    validate_host_network_ports(context, path, errors);
    validate_enum(context.restart_policy, {"Always", "OnFailure", "Never"}, path.child("restartPolicy"), errors);
    validate_enum(string_at(spec, {"dnsPolicy"}), {"ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"},
                  path.child("dnsPolicy"), errors);
    if (const Json* labels = find(spec, "nodeSelector")) validate_labels(*labels, path.child("nodeSelector"), errors);
    validate_pod_security_context(context, path, errors);
    if (const Json* affinity = find(spec, "affinity")) validate_affinity(*affinity, path.child("affinity"), errors);
    validate_dns_config(spec, path, errors);
    validate_scheduling(context, path, errors);
    validate_last_parts(context, path, errors);
}

void validate_pod(const Json& pod, FieldErrors& errors) {
    const Json& metadata = object_at(pod, {"metadata"});
    const Json& spec = object_at(pod, {"spec"});
    const FieldPath path("spec");
    if (find(metadata, "annotations") != nullptr) {
        pods::validate_pod_annotations(metadata, spec, FieldPath("metadata.annotations"), errors);
    }
    validate_pod_spec(spec, &metadata, path, errors);
    if (string_at(spec, {"serviceAccountName"}).empty()) {
        std::size_t v = 0;
        for (const Json& volume : array_at(spec, {"volumes"})) {
            const std::size_t at = v++;
            std::size_t s = 0;
            for (const Json& source : array_at(volume, {"projected", "sources"})) {
                const std::size_t index = s++;
                if (find(source, "serviceAccountToken") == nullptr) continue;
                errors.forbidden(path.child("volumes").index(at).child("projected").child("sources").index(index).child(
                                     "serviceAccountToken"),
                                 "must not be specified when serviceAccountName is not set");
            }
        }
    }
    for (const char* list : {"containers", "initContainers"}) {
        std::size_t i = 0;
        for (const Json& container : array_at(spec, {list})) {
            pods::validate_image_whitespace(container, path.child(list).index(i++), errors);
        }
    }
}

void validate_new_pod(const Json& pod, FieldErrors& errors) {
    const Json& spec = object_at(pod, {"spec"});
    const FieldPath path("spec");
    if (!array_at(spec, {"ephemeralContainers"}).empty()) {
        errors.forbidden(path.child("ephemeralContainers"), "cannot be set on create");
    }
    if (!string_at(spec, {"nodeName"}).empty() && !array_at(spec, {"schedulingGates"}).empty()) {
        errors.forbidden(path.child("nodeName"), "cannot be set until all schedulingGates have been cleared");
    }
    pods::validate_profiles_match(object_at(pod, {"metadata"}), spec, path, errors);
}

void validate_pod_template(const Json& pod_template, const FieldPath& path, FieldErrors& errors) {
    const Json& metadata = object_at(pod_template, {"metadata"});
    const Json& spec = object_at(pod_template, {"spec"});
    const FieldPath spec_path = path.child("spec");
    if (const Json* labels = find(metadata, "labels")) validate_labels(*labels, path.child("labels"), errors);
    if (const Json* annotations = find(metadata, "annotations")) {
        validate_annotations(*annotations, path.child("annotations"), errors);
        pods::validate_pod_annotations(metadata, spec, path.child("annotations"), errors);
    }
    validate_pod_spec(spec, nullptr, spec_path, errors);
    pods::validate_profiles_match(metadata, spec, spec_path, errors);
    if (!array_at(spec, {"ephemeralContainers"}).empty()) {
        errors.forbidden(spec_path.child("ephemeralContainers"), "ephemeral containers not allowed in pod template");
    }
}

}  // namespace kubemu::api
