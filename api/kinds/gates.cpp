// One function a gate, and the table of kinds that each concerns.
#include "api/kinds/gates.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace kubemu::api {
namespace {

constexpr const char* container_lists[] = {"initContainers", "containers", "ephemeralContainers"};

// GenericWorkload.
void drop_scheduling_group(Json& spec, const Json* old) {
    if (old == nullptr || find(*old, "schedulingGroup") == nullptr) erase(spec, "schedulingGroup");
}

bool projects(const Json& spec, std::string_view source) {
    for (const Json& volume : array_at(spec, {"volumes"})) {
        for (const Json& projection : array_at(volume, {"projected", "sources"})) {
            if (find(projection, source) != nullptr) return true;
        }
    }
    return false;
}

// ClusterTrustBundleProjection, PodCertificateRequest.
void drop_projection(Json& spec, const Json* old, std::string_view source) {
    if (!projects(spec, source) || (old != nullptr && projects(*old, source))) return;
    for (Json& volume : *find(spec, "volumes")) {
        Json* sources = find(volume, {"projected", "sources"});
        if (sources == nullptr || !sources->is_array()) continue;
        for (Json& projection : *sources) erase(projection, source);
    }
}

bool stops_by_signal(const Json& container) { return find(container, {"lifecycle", "stopSignal"}) != nullptr; }

bool any_stops_by_signal(const Json& spec) {
    return std::any_of(std::begin(container_lists), std::end(container_lists), [&spec](const char* list) {
        const Json& containers = array_at(spec, {list});
        return std::any_of(containers.begin(), containers.end(), stops_by_signal);
    });
}

// ContainerStopSignals.
void drop_stop_signals(Json& spec, const Json* old) {
    if (!any_stops_by_signal(spec) || (old != nullptr && any_stops_by_signal(*old))) return;
    for (const char* list : container_lists) {
        Json* containers = find(spec, list);
        if (containers == nullptr || !containers->is_array()) continue;
        for (Json& container : *containers) {
            if (!stops_by_signal(container)) continue;
            erase(container["lifecycle"], "stopSignal");
            if (container["lifecycle"].empty()) erase(container, "lifecycle");
        }
    }
}

void drop_of_pod_spec(Json& spec, const Json* old) {
    drop_scheduling_group(spec, old);
    drop_projection(spec, old, "clusterTrustBundle");
    drop_projection(spec, old, "podCertificate");
    drop_stop_signals(spec, old);
}

// CrossNamespaceVolumeDataSource.
void drop_of_claim(Json& object, const Json* old) {
    if (string_at(object, {"spec", "dataSourceRef", "namespace"}).empty()) return;
    if (old == nullptr || find(*old, {"spec", "dataSourceRef"}) == nullptr) erase(object["spec"], "dataSourceRef");
}

// CoordinatedLeaderElection.
void drop_of_lease(Json& object, const Json* old) {
    Json* spec = find(object, "spec");
    for (const char* member : {"strategy", "preferredHolder"}) {
        if (spec != nullptr && (old == nullptr || find(*old, {"spec", member}) == nullptr)) erase(*spec, member);
    }
}

// VolumeLimitScaling.
void drop_of_csi_driver(Json& object, const Json* old) {
    constexpr const char* member = "preventPodSchedulingIfMissing";
    Json* spec = find(object, "spec");
    if (spec != nullptr && (old == nullptr || find(*old, {"spec", member}) == nullptr)) erase(*spec, member);
}

constexpr const char* list_attributes[] = {"bools", "ints", "strings", "versions"};

bool has_list_attribute(const Json& slice) {
    for (const Json& device : array_at(slice, {"spec", "devices"})) {
        for (const Json& attribute : object_at(device, {"attributes"})) {
            for (const char* member : list_attributes) {
                if (find(attribute, member) != nullptr) return true;
            }
        }
    }
    return false;
}

bool maps_node_resources(const Json& slice) {
    const Json& devices = array_at(slice, {"spec", "devices"});
    return std::any_of(devices.begin(), devices.end(),
                       [](const Json& device) { return find(device, "nodeAllocatableResourceMappings") != nullptr; });
}

// DRANodeAllocatableResources, DRAListTypeAttributes.
void drop_of_resource_slice(Json& object, const Json* old) {
    Json* devices = find(object, {"spec", "devices"});
    if (devices == nullptr || !devices->is_array()) return;
    const bool keeps_mappings = old != nullptr && maps_node_resources(*old);
    const bool keeps_lists = old != nullptr && has_list_attribute(*old);
    for (Json& device : *devices) {
        if (!keeps_mappings) erase(device, "nodeAllocatableResourceMappings");
        Json* attributes = find(device, "attributes");
        if (keeps_lists || attributes == nullptr || !attributes->is_object()) continue;
        for (Json& attribute : *attributes) {
            for (const char* member : list_attributes) erase(attribute, member);
        }
    }
}

struct Gated {
    std::string_view resource;
    void (*drop)(Json& object, const Json* old);
};
constexpr Gated of_kinds[] = {{"persistentvolumeclaims", drop_of_claim},
                              {"leases.coordination.k8s.io", drop_of_lease},
                              {"csidrivers.storage.k8s.io", drop_of_csi_driver},
                              {"resourceslices.resource.k8s.io", drop_of_resource_slice}};

// Where a kind keeps the spec of pods.
const Json* pod_spec_of(const KindSpec& kind, const Json& object) {
    constexpr std::string_view templates[] = {"replicationcontrollers", "replicasets.apps", "deployments.apps",
                                              "statefulsets.apps",      "daemonsets.apps",  "jobs.batch"};
    if (kind.resource == "pods") return find(object, "spec");
    if (kind.resource == "podtemplates") return find(object, {"template", "spec"});
    if (kind.resource == "cronjobs.batch") return find(object, {"spec", "jobTemplate", "spec", "template", "spec"});
    if (std::find(std::begin(templates), std::end(templates), kind.resource) == std::end(templates)) return nullptr;
    return find(object, {"spec", "template", "spec"});
}

// NodeAllocatableResourceClaimStatuses of DRANodeAllocatableResources, volumeStatus of ImageVolumeWithDigest.
void drop_of_pod_status(Json& status, const Json& old) {
    if (find(old, "nodeAllocatableResourceClaimStatuses") == nullptr)
        erase(status, "nodeAllocatableResourceClaimStatuses");
    constexpr const char* lists[] = {"initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"};
    const auto any_shown = [&](const Json& of) {
        for (const char* list : lists) {
            for (const Json& container : array_at(of, {list})) {
                for (const Json& mount : array_at(container, {"volumeMounts"})) {
                    if (find(mount, "volumeStatus") != nullptr) return true;
                }
            }
        }
        return false;
    };
    if (!any_shown(status) || any_shown(old)) return;
    for (const char* list : lists) {
        Json* containers = find(status, list);
        if (containers == nullptr || !containers->is_array()) continue;
        for (Json& container : *containers) {
            Json* mounts = find(container, "volumeMounts");
            if (mounts == nullptr || !mounts->is_array()) continue;
            for (Json& mount : *mounts) erase(mount, "volumeStatus");
        }
    }
}

}  // namespace

void drop_gated_fields(const KindSpec& kind, Json& object, const Json* old) {
    if (Json* spec = const_cast<Json*>(pod_spec_of(kind, object))) {
        drop_of_pod_spec(*spec, old == nullptr ? nullptr : pod_spec_of(kind, *old));
    }
    for (const Gated& gated : of_kinds) {
        if (gated.resource == kind.resource) gated.drop(object, old);
    }
}

void drop_gated_status_fields(const KindSpec& kind, Json& object, const Json& old) {
    if (kind.resource != "pods") return;
    if (Json* status = find(object, "status")) drop_of_pod_status(*status, object_at(old, {"status"}));
}

}  // namespace kubemu::api
