// PodTopologyLabels: a pod carries the zone and the region of its node as labels, so that its containers can read them
// (kubernetes plugin/pkg/admission/podtopologylabels, on from 1.35).
#include <nlohmann/json.hpp>

#include "api/admission/chain.h"
#include "api/kind_registry.h"
#include "api/kinds/views.h"

namespace kubemu::api {
namespace {

constexpr int first_minor = 35;

// The node that a pod is on, or that a Binding names; empty when there is none.
std::string node_of(const AdmissionRequest& request) {
    const Json& object = *request.object;
    if (request.subresource.empty()) return std::string(string_at(object, {"spec", "nodeName"}));
    if (request.subresource != "binding" || string_at(object, {"target", "kind"}) != "Node") return {};
    return std::string(string_at(object, {"target", "name"}));
}

}  // namespace

ApiResult<bool> pod_topology_labels_mutate(AdmissionRequest& request) {
    if (request.operation != AdmissionRequest::Operation::create || !request.is("pods") || request.object == nullptr) return true;
    const std::string name = node_of(request);
    if (name.empty() || request.kinds.minor() < first_minor) return true;
    const storage::RecordPtr node = request.lookup.get("nodes", {}, name);
    if (node == nullptr) return true;
    for (const char* key : {"topology.kubernetes.io/zone", "topology.kubernetes.io/region"}) {
        if (const std::string* value = view_of(*node).label(key)) ensure(*request.object, {"metadata", "labels"})[key] = *value;
    }
    return true;
}

}  // namespace kubemu::api
