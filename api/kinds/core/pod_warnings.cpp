// Warnings of pods and templates: what is accepted but will not do what it seems to (kubernetes pkg/api/pod/warnings.go).
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "api/kinds/address_warnings.h"
#include "api/kinds/core/persistent_volume_claim.h"
#include "api/kinds/core/pod_checks.h"
#include "api/kinds/core/pod_spec.h"
#include "api/kinds/node_label_warnings.h"
#include "api/kinds/validation.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

using Warnings = std::vector<std::string>;

std::string_view text(const Json& object, std::string_view member) { return string_at(object, {member}); }

struct Deprecated {
    std::string_view key, message;
};

constexpr Deprecated annotations_gone[] = {
    {"scheduler.alpha.kubernetes.io/critical-pod", "non-functional in v1.16+; use the \"priorityClassName\" field instead"},
    {"security.alpha.kubernetes.io/sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"},
    {"security.alpha.kubernetes.io/unsafe-sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"}};
constexpr Deprecated volumes_gone[] = {{"photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"},
                                       {"gitRepo", "deprecated in v1.11"},
                                       {"scaleIO", "deprecated in v1.16, non-functional in v1.22+"},
                                       {"flocker", "deprecated in v1.22, non-functional in v1.25+"},
                                       {"storageos", "deprecated in v1.22, non-functional in v1.25+"},
                                       {"quobyte", "deprecated in v1.22, non-functional in v1.25+"},
                                       {"glusterfs", "deprecated in v1.25, non-functional in v1.26+"},
                                       {"cephfs", "deprecated in v1.28, non-functional in v1.31+"},
                                       {"rbd", "deprecated in v1.28, non-functional in v1.31+"}};
constexpr std::string_view seccomp_of_pod = "seccomp.security.alpha.kubernetes.io/pod";
constexpr std::string_view seccomp_of_container = "container.seccomp.security.alpha.kubernetes.io/";
constexpr std::string_view app_armor_of_container = "container.apparmor.security.beta.kubernetes.io/";
constexpr std::string_view required_terms = "requiredDuringSchedulingIgnoredDuringExecution";
constexpr std::string_view preferred_terms = "preferredDuringSchedulingIgnoredDuringExecution";

void warn(Warnings& warnings, const FieldPath& path, std::string_view message) {
    warnings.push_back(path.text() + ": " + std::string(message));
}

void warn_of_node_term(const Json& term, bool weighted, const FieldPath& path, Warnings& warnings) {
    const Json& expressions = array_at(term, {"matchExpressions"});
    for (std::size_t i = 0; i < expressions.size(); ++i) {
        const FieldPath at = path.child("matchExpressions").index(i);
        const std::string_view key = text(expressions[i], "key");
        if (const std::string_view message = deprecated_node_label(key); !message.empty()) {
            warn(warnings, at.child("key"), std::string(key) + " is " + std::string(message));
        }
        if (!weighted) continue;
        // Required terms with such values are refused; preferred ones match no node.
        std::size_t j = 0;
        for (const Json& value : array_at(expressions[i], {"values"})) {
            const std::size_t index = j++;
            if (!value.is_string()) continue;
            const auto& label = value.get_ref<const std::string&>();
            for (const std::string& message : check_label_value(label)) {
                warn(warnings, at.child("values").index(index), label + " is invalid, " + message);
            }
        }
    }
}

void warn_of_affinity(const Json& spec, const FieldPath& path, Warnings& warnings) {
    const Json* affinity = find(spec, {"affinity", "nodeAffinity"});
    if (affinity == nullptr) return;
    const FieldPath at = path.child("affinity").child("nodeAffinity");
    std::size_t i = 0;
    for (const Json& term : array_at(*affinity, {required_terms, "nodeSelectorTerms"})) {
        warn_of_node_term(term, false, at.child(required_terms).child("nodeSelectorTerms").index(i++), warnings);
    }
    i = 0;
    for (const Json& term : array_at(*affinity, {preferred_terms})) {
        warn_of_node_term(object_at(term, {"preference"}), true, at.child(preferred_terms).index(i++).child("preference"), warnings);
    }
}

void warn_of_pod_terms(const Json& spec, const FieldPath& path, Warnings& warnings) {
    constexpr std::string_view message = "a null labelSelector results in matching no pod";
    for (const char* kind : {"podAffinity", "podAntiAffinity"}) {
        const Json* affinity = find(spec, {"affinity", kind});
        if (affinity == nullptr) continue;
        const FieldPath at = path.child("affinity").child(kind);
        std::size_t i = 0;
        for (const Json& term : array_at(*affinity, {required_terms})) {
            const std::size_t index = i++;
            if (find(term, "labelSelector") == nullptr) {
                warn(warnings, at.child(required_terms).index(index).child("labelSelector"), message);
            }
        }
        i = 0;
        for (const Json& term : array_at(*affinity, {preferred_terms})) {
            const std::size_t index = i++;
            if (find(term, {"podAffinityTerm", "labelSelector"}) != nullptr) continue;
            warn(warnings, at.child(preferred_terms).index(index).child("podAffinityTerm").child("labelSelector"), message);
        }
    }
}

void warn_of_placement(const Json& spec, const FieldPath& path, Warnings& warnings) {
    for (const auto& [key, value] : object_at(spec, {"nodeSelector"}).items()) {
        if (const std::string_view message = deprecated_node_label(key); !message.empty()) {
            warn(warnings, path.child("nodeSelector").key(key), message);
        }
    }
    warn_of_affinity(spec, path, warnings);
    std::size_t i = 0;
    for (const Json& constraint : array_at(spec, {"topologySpreadConstraints"})) {
        const FieldPath at = path.child("topologySpreadConstraints").index(i++);
        const std::string_view key = text(constraint, "topologyKey");
        if (const std::string_view message = deprecated_node_label(key); !message.empty()) {
            warn(warnings, at.child("topologyKey"), std::string(key) + " is " + std::string(message));
        }
        if (find(constraint, "labelSelector") == nullptr) {
            warn(warnings, at.child("labelSelector"), "a null labelSelector results in matching no pod");
        }
    }
}

void warn_of_volumes(const Json& spec, const FieldPath& path, Warnings& warnings) {
    std::size_t i = 0;
    for (const Json& volume : array_at(spec, {"volumes"})) {
        const std::size_t index = i++;
        for (const Deprecated& source : volumes_gone) {
            if (find(volume, source.key) == nullptr) continue;
            // The real server writes this one as Go does.
            const std::string_view shown = source.key == "storageos" ? std::string_view("storageOS") : source.key;
            warn(warnings, path.child("volumes").index(index).child(shown), source.message);
        }
        if (const Json* claim = find(volume, {"ephemeral", "volumeClaimTemplate", "spec"})) {
            const FieldPath at =
                path.child("volumes").index(index).child("ephemeral").child("volumeClaimTemplate").child("spec");
            kinds::warn_of_claim_spec(*claim, at, warnings);
        }
    }
    pods::warn_of_overlapping_paths(spec, warnings);
}

void warn_of_repeats(const Json& list, std::string_view member, std::string_view what, const FieldPath& path, Warnings& warnings) {
    std::set<std::string_view> seen;
    std::size_t i = 0;
    for (const Json& item : list) {
        const std::size_t index = i++;
        const std::string_view value = text(item, member);
        if (!seen.insert(value).second) {
            warn(warnings, path.index(index).child(member), std::string(what) + " " + go_quote(value));
        }
    }
}

void warn_of_fractions(const Json& resources, const FieldPath& path, Warnings& warnings, std::string_view name) {
    const Json* value = find(resources, name);
    if (value == nullptr) return;
    const Quantity quantity = quantity_of(value);
    if (quantity.milli_value() % 1000 == 0) return;
    warn(warnings, path.key(name), "fractional byte value " + go_quote(quantity.text()) + " is invalid, must be an integer");
}

void warn_of_environment(const Json& container, const FieldPath& path, Warnings& warnings) {
    const Json& variables = array_at(container, {"env"});
    if (variables.size() < 2) return;
    std::set<std::string_view> seen;
    for (std::size_t i = 0; i < variables.size(); ++i) {
        const std::string_view name = text(variables[i], "name"), value = text(variables[i], "value");
        if (seen.insert(name).second) continue;
        const std::string reference = "$(" + std::string(name) + ")";
        const bool builds_on = find(variables[i], "valueFrom") == nullptr && value != reference &&
                               value.find(reference) != std::string_view::npos;
        if (!builds_on) warn(warnings, path.child("env").index(i), "hides previous definition of " + go_quote(name));
    }
}

// Of templates alone: a pod's annotations and fields are brought in line with each other.
void warn_of_app_armor(const Json& container, const Json& spec, const Json& annotations, const FieldPath& root,
                       Warnings& warnings) {
    if (root.text().empty() || annotations.empty() ||
        find(container, {"securityContext", "appArmorProfile"}) != nullptr)
        return;
    const std::string key = std::string(app_armor_of_container) + std::string(text(container, "name"));
    const auto annotation = annotations.find(key);
    if (annotation == annotations.end() || !annotation->is_string()) return;
    const Json* of_pod = find(spec, {"securityContext", "appArmorProfile"});
    const auto meant = pods::app_armor_field(annotation->get_ref<const std::string&>());
    if (of_pod != nullptr && meant && *of_pod == *meant) return;
    warn(warnings, root.child("metadata").child("annotations").key(key),
         "deprecated since v1.30; use the \"appArmorProfile\" field instead");
}

void warn_of_containers(const Json& spec, const Json& annotations, const FieldPath& root, const FieldPath& path, Warnings& warnings) {
    pods::visit_containers(spec, path, [&](const Json& container, const FieldPath& at) {
        if (!annotations.empty() && find(container, {"securityContext", "seccompProfile"}) == nullptr) {
            const std::string key = std::string(seccomp_of_container) + std::string(text(container, "name"));
            if (annotations.contains(key)) {
                warn(warnings, root.child("metadata").child("annotations").key(key),
                     "non-functional in v1.27+; use the \"seccompProfile\" field instead");
            }
        }
        warn_of_app_armor(container, spec, annotations, root, warnings);
        if (const Json* resources = find(container, "resources")) {
            for (const char* name : {"memory", "ephemeral-storage"}) {
                for (const char* list : {"limits", "requests"}) {
                    warn_of_fractions(object_at(*resources, {list}), at.child("resources").child(list), warnings, name);
                }
            }
        }
        warn_of_environment(container, at, warnings);
    });
}

struct SeenPort {
    FieldPath path;
    std::string_view host_ip;
    std::int64_t host_port;
};

void warn_of_ports(const Json& spec, const FieldPath& path, Warnings& warnings) {
    std::map<std::string, std::vector<SeenPort>> all;
    pods::visit_containers(spec, path, [&](const Json& container, const FieldPath& at) {
        std::size_t i = 0;
        for (const Json& port : array_at(container, {"ports"})) {
            SeenPort seen{at.child("ports").index(i++), text(port, "hostIP"), int_at(port, {"hostPort"})};
            const std::int64_t number = int_at(port, {"containerPort"});
            const std::string_view protocol = text(port, "protocol");
            if (!seen.host_ip.empty() && seen.host_port == 0) {
                warn(warnings, seen.path,
                     "hostIP set without hostPort: {Name:" + std::string(text(port, "name")) + " HostPort:0 ContainerPort:" +
                         std::to_string(number) + " Protocol:" + std::string(protocol) + " HostIP:" + std::string(seen.host_ip) + "}");
            }
            auto& others = all[std::to_string(number) + "/" + std::string(protocol)];
            for (const SeenPort& other : others) {
                if (seen.host_ip == other.host_ip && seen.host_port == other.host_port) {
                    warn(warnings, seen.path, "duplicate port definition with " + other.path.text());
                } else if (seen.host_port == 0 || other.host_port == 0) {
                    warn(warnings, seen.path, "overlapping port definition with " + other.path.text());
                } else if (seen.host_port == other.host_port && seen.host_ip.empty() != other.host_ip.empty()) {
                    warn(warnings, seen.path, "dangerously ambiguous port definition with " + other.path.text());
                }
            }
            others.push_back(std::move(seen));
        }
    });
}

void warn_of_port_names(const Json& spec, const FieldPath& path, Warnings& warnings) {
    std::map<std::string_view, std::string> seen;
    pods::visit_containers(spec, path, [&](const Json& container, const FieldPath& at) {
        const Json& ports = array_at(container, {"ports"});
        for (std::size_t i = 0; i < ports.size(); ++i) {
            const std::string_view name = text(ports[i], "name");
            if (name.empty()) continue;
            const FieldPath here = at.child("ports").index(i);
            const auto [first, fresh] = seen.emplace(name, here.text());
            if (fresh) continue;
            warnings.push_back(here.text() + ": duplicate port name " + go_quote(name) + " with " + first->second +
                               ", services and probes that select ports by name will use " + first->second);
        }
    });
}

void warn_of_addresses(const Json& spec, const FieldPath& path, Warnings& warnings) {
    std::size_t i = 0;
    for (const Json& server : array_at(spec, {"dnsConfig", "nameservers"})) {
        const FieldPath at = path.child("dnsConfig").child("nameservers").index(i++);
        if (server.is_string()) warn_of_ip(server.get_ref<const std::string&>(), at, warnings);
    }
    i = 0;
    for (const Json& alias : array_at(spec, {"hostAliases"})) {
        warn_of_ip(text(alias, "ip"), path.child("hostAliases").index(i++).child("ip"), warnings);
    }
}

void warn_of_spec(const Json& spec, const Json& metadata, const FieldPath& root, Warnings& warnings) {
    const FieldPath path = root.child("spec");
    const Json& annotations = object_at(metadata, {"annotations"});
    warn_of_placement(spec, path, warnings);
    for (const Deprecated& annotation : annotations_gone) {
        if (find(annotations, annotation.key) != nullptr) {
            warn(warnings, root.child("metadata").child("annotations").key(annotation.key), annotation.message);
        }
    }
    warn_of_volumes(spec, path, warnings);
    warn_of_repeats(array_at(spec, {"hostAliases"}), "ip", "duplicate ip", path.child("hostAliases"), warnings);
    const Json& secrets = array_at(spec, {"imagePullSecrets"});
    warn_of_repeats(secrets, "name", "duplicate name", path.child("imagePullSecrets"), warnings);
    for (std::size_t i = 0; i < secrets.size(); ++i) {
        if (text(secrets[i], "name").empty()) {
            warn(warnings, path.child("imagePullSecrets").index(i).child("name"), "invalid empty name \"\"");
        }
    }
    for (const char* name : {"memory", "ephemeral-storage"}) {
        warn_of_fractions(object_at(spec, {"overhead"}), path.child("overhead"), warnings, name);
    }
    if (annotations.contains(seccomp_of_pod) && find(spec, {"securityContext", "seccompProfile"}) == nullptr) {
        warn(warnings, root.child("metadata").child("annotations").key(seccomp_of_pod),
             "non-functional in v1.27+; use the \"seccompProfile\" field instead");
    }
    warn_of_containers(spec, annotations, root, path, warnings);
    warn_of_ports(spec, path, warnings);
    warn_of_port_names(spec, path, warnings);
    if (int_at(spec, {"terminationGracePeriodSeconds"}) < 0) {
        warn(warnings, path.child("terminationGracePeriodSeconds"),
             "must be >= 0; negative values are invalid and will be treated as 1");
    }
    warn_of_pod_terms(spec, path, warnings);
    warn_of_addresses(spec, path, warnings);
}

}  // namespace

void warn_of_pod(const Json& pod, Warnings& warnings) {
    if (const Messages messages = check_dns1123_label(name_of(pod)); !messages.empty()) {
        warnings.push_back(
            "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is "
            "recommended: [" +
            join(messages, " ") + "]");
    }
    warn_of_spec(object_at(pod, {"spec"}), object_at(pod, {"metadata"}), FieldPath(), warnings);
}

void warn_of_pod_template(const Json& pod_template, const FieldPath& path, Warnings& warnings) {
    warn_of_spec(object_at(pod_template, {"spec"}), object_at(pod_template, {"metadata"}), path, warnings);
}

}  // namespace kubemu::api
