// One slice for each list of ports and address family; what is mirrored no longer is removed.
#include "controllers/endpointslice_mirroring/controller.h"

#include <algorithm>
#include <arpa/inet.h>
#include <map>
#include <nlohmann/json.hpp>

#include "api/registry.h"
#include "controllers/runtime/owner_refs.h"

namespace kubemu::controllers {
namespace {

using api::Json;

constexpr const char* service_label = "kubernetes.io/service-name";
constexpr const char* manager_label = "endpointslice.kubernetes.io/managed-by";
constexpr const char* manager_name = "endpointslicemirroring-controller.k8s.io";
constexpr std::size_t endpoints_max = 1000;  // of a subset

std::string_view family_of(const std::string& address) {
    in_addr four{};
    in6_addr six{};
    if (inet_pton(AF_INET, address.c_str(), &four) == 1) return "IPv4";
    if (inet_pton(AF_INET6, address.c_str(), &six) == 1) return "IPv6";
    return {};
}

// Subsets in their canonical form: ports with the same addresses together (endpoints.RepackSubsets).
struct Address {
    Json document;
    bool ready = false;
};
using Group = std::map<std::string, Address>;  // by the address as it is written, ready ones apart from the others
std::vector<std::pair<Json, Group>> repack(const Json& subsets) {
    std::map<std::string, Group> by_port;
    for (const Json& subset : subsets) {
        Json ports = api::array_at(subset, {"ports"});
        if (ports.empty()) ports.push_back(nullptr);
        for (const Json& port : ports) {
            Group& group = by_port[port.dump()];
            for (const auto& [list, ready] : {std::pair("addresses", true), std::pair("notReadyAddresses", false)}) {
                for (const Json& address : api::array_at(subset, {list})) {
                    Address& known = group[address.dump()];
                    known = {address, known.ready || ready};
                }
            }
        }
    }
    std::map<std::string, std::pair<Json, Group>> merged;  // by the addresses
    for (auto& [port, group] : by_port) {
        std::string id;
        for (const auto& [text, address] : group) id += text + (address.ready ? "+" : "-");
        auto& [ports, addresses] = merged[id];
        if (!ports.is_array()) ports = Json::array();
        if (port != "null") ports.push_back(Json::parse(port));
        addresses = std::move(group);
    }
    std::vector<std::pair<Json, Group>> packed;
    for (auto& [id, one] : merged) packed.push_back(std::move(one));
    return packed;
}

Json slice_ports(const Json& ports) {
    Json made = Json::array();
    for (const Json& port : ports) {
        Json one = {{"name", std::string(api::string_at(port, {"name"}))},
                    {"protocol", std::string(api::string_at(port, {"protocol"}, "TCP"))}};
        for (const char* member : {"port", "appProtocol"}) {
            if (const Json* value = api::find(port, member)) one[member] = *value;
        }
        made.push_back(std::move(one));
    }
    return made;
}

Json slice_endpoint(const Json& address, bool ready) {
    Json endpoint = {{"addresses", Json::array({std::string(api::string_at(address, {"ip"}))})}, {"conditions", {{"ready", ready}}}};
    for (const char* member : {"targetRef", "nodeName", "hostname"}) {
        if (const Json* value = api::find(address, member)) endpoint[member] = *value;
    }
    return endpoint;
}

}  // namespace

struct EndpointSliceMirroringController::Wanted {
    std::string family;
    Json ports = Json::array(), endpoints = Json::array();
};

EndpointSliceMirroringController::EndpointSliceMirroringController(Manager& manager)
    : Controller(manager, "endpointslicemirroring", "endpointslicemirroring-controller", "endpoint-slice-mirroring-controller"),
      endpoints_(manager.informer("endpoints")),
      services_(manager.informer("services")),
      slices_(manager.informer("endpointslices.discovery.k8s.io")) {
    has_workers(5);
    const auto same_key = [this](const api::Informer::Change& change) {
        enqueue((change.after ? change.after : change.before)->key);
    };
    endpoints_.subscribe(same_key);
    services_.subscribe(same_key);
    slices_.subscribe([this](const api::Informer::Change& change) {
        const api::ObjectView& slice = api::view_of(change.after ? *change.after : *change.before);
        const std::string* service = slice.label(service_label);
        const std::string* managed_by = slice.label(manager_label);
        if (service != nullptr && managed_by != nullptr && *managed_by == manager_name) {
            enqueue(api::object_key(slice.namespace_name, *service));
        }
    });
}

std::vector<storage::RecordPtr> EndpointSliceMirroringController::slices_of(std::string_view namespace_name,
                                                                            std::string_view name) const {
    std::vector<storage::RecordPtr> mine;
    for (storage::RecordPtr& slice : slices_.list(namespace_name)) {
        const api::ObjectView& view = api::view_of(*slice);
        const std::string* service = view.label(service_label);
        const std::string* managed_by = view.label(manager_label);
        if (view.deleting || service == nullptr || *service != name) continue;
        if (managed_by != nullptr && *managed_by == manager_name) mine.push_back(std::move(slice));
    }
    return mine;
}

std::vector<EndpointSliceMirroringController::Wanted> EndpointSliceMirroringController::wanted_of(
    const storage::Record& endpoints, const Json& document) {
    std::vector<Wanted> all;
    std::size_t invalid = 0, skipped = 0;
    for (const auto& [ports, group] : repack(api::array_at(document, {"subsets"}))) {
        std::map<std::string, Wanted> by_family;
        std::size_t added = 0, wrong = 0;
        for (const bool ready : {true, false}) {
            for (const auto& [text, address] : group) {
                if (address.ready != ready) continue;
                const std::string_view family = family_of(std::string(api::string_at(address.document, {"ip"})));
                if (family.empty()) {
                    ++wrong;
                } else if (added < endpoints_max) {
                    Wanted& wanted = by_family[std::string(family)];
                    wanted.endpoints.push_back(slice_endpoint(address.document, ready));
                    ++added;
                }
            }
        }
        invalid += wrong;
        skipped += group.size() - added;
        for (auto& [family, wanted] : by_family) {
            wanted.family = family;
            wanted.ports = slice_ports(ports);
            all.push_back(std::move(wanted));
        }
    }
    const Json reference = object_reference(kind("endpoints"), endpoints);
    if (invalid > 0) {
        events().warning(reference, "InvalidIPAddress",
                         "Skipped " + std::to_string(invalid) + " invalid IP addresses when mirroring to EndpointSlices");
    }
    if (skipped > invalid) {
        events().warning(reference, "TooManyAddressesToMirror",
                         "A max of " + std::to_string(endpoints_max) +
                             " addresses can be mirrored to EndpointSlices per Endpoints subset. " + std::to_string(skipped) +
                             " addresses were skipped");
    }
    return all;
}

api::ApiResult<bool> EndpointSliceMirroringController::remove(const std::vector<storage::RecordPtr>& slices) {
    for (const auto& slice : slices) {
        const api::ObjectView& view = api::view_of(*slice);
        const auto removed = client().remove(kind("endpointslices.discovery.k8s.io"), view.namespace_name, view.name);
        if (!removed && removed.error().code() != 404) return removed.error();
    }
    return true;
}

api::ApiResult<bool> EndpointSliceMirroringController::write(const storage::Record& endpoints, const Json& document,
                                                             const storage::RecordPtr& slice, const Wanted& wanted) {
    const api::ObjectView& view = api::view_of(endpoints);
    const api::KindSpec& slice_kind = kind("endpointslices.discovery.k8s.io");
    Json labels = api::object_at(document, {"metadata", "labels"});
    labels[service_label] = view.name;
    labels[manager_label] = manager_name;
    Json annotations = api::object_at(document, {"metadata", "annotations"});
    annotations.erase("endpoints.kubernetes.io/last-change-trigger-time");
    annotations.erase("kubectl.kubernetes.io/last-applied-configuration");
    const auto fill = [&](Json& object) {
        Json& metadata = api::ensure(object, {"metadata"});
        const Json before = object;
        metadata["labels"] = labels;
        if (annotations.empty()) metadata.erase("annotations");
        else metadata["annotations"] = annotations;
        object["endpoints"] = wanted.endpoints;
        object["ports"] = wanted.ports;
        return object != before;
    };
    if (slice != nullptr) {
        const auto written = client().modify(slice_kind, view.namespace_name, api::view_of(*slice).name, {}, fill);
        if (!written && written.error().code() != 404) return written.error();
        return true;
    }
    Json made = {{"apiVersion", "discovery.k8s.io/v1"},
                 {"kind", "EndpointSlice"},
                 {"metadata", {{"generateName", view.name + "-"}, {"namespace", view.namespace_name},
                               {"ownerReferences", Json::array({controller_reference(kind("endpoints"), view)})}}},
                 {"addressType", wanted.family}};
    fill(made);
    const auto created = client().create(slice_kind, view.namespace_name, std::move(made));
    if (!created && created.error()->reason != "Forbidden") return created.error();
    return true;
}

api::ApiResult<Requeue> EndpointSliceMirroringController::reconcile(const std::string& key) {
    const auto [namespace_name, name] = split_key(key);
    std::vector<storage::RecordPtr> slices = slices_of(namespace_name, name);
    const storage::RecordPtr endpoints = endpoints_.get(key), service = services_.get(key);
    Json document;
    bool mirrored = endpoints != nullptr && service != nullptr;
    if (mirrored) {
        const std::string* skip = api::view_of(*endpoints).label("endpointslice.kubernetes.io/skip-mirror");
        mirrored = (skip == nullptr || *skip != "true") &&
                   api::find(client().document(*service), {"spec", "selector"}) == nullptr;
    }
    if (mirrored) {
        document = client().document(*endpoints);
        mirrored = api::find(document, {"metadata", "annotations", "control-plane.alpha.kubernetes.io/leader"}) == nullptr;
    }
    if (!mirrored) {
        TRY(remove(slices));
        return Requeue{};
    }
    for (const Wanted& wanted : wanted_of(*endpoints, document)) {
        const auto same = std::find_if(slices.begin(), slices.end(), [&](const storage::RecordPtr& slice) {
            const Json old = client().document(*slice);
            return api::string_at(old, {"addressType"}) == wanted.family && api::array_at(old, {"ports"}) == wanted.ports;
        });
        storage::RecordPtr slice;
        if (same != slices.end()) {
            slice = *same;
            slices.erase(same);
        }
        TRY(write(*endpoints, document, slice, wanted));
    }
    TRY(remove(slices));
    return Requeue{};
}

}  // namespace kubemu::controllers
