// Endpoints stay in the slice in which they are; new ones fill up what has room; what is over is reused or removed.
#include "controllers/endpointslice/controller.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "api/registry.h"
#include "api/values/time.h"
#include "controllers/runtime/owner_refs.h"

namespace kubemu::controllers {

namespace {

constexpr const char* trigger_annotation = "endpoints.kubernetes.io/last-change-trigger-time";
constexpr const char* service_label = "kubernetes.io/service-name";
constexpr const char* manager_label = "endpointslice.kubernetes.io/managed-by";
constexpr const char* manager_name = "endpointslice-controller.k8s.io";
constexpr std::size_t endpoints_max = 100;

// Where clients of a ready endpoint should be (spec.trafficDistribution, k8s.io/endpointslice/trafficdist): in its zone, or
// on its node and for proxies that know no better in its zone.
void add_hints(const api::Json& service, api::Json& endpoint) {
    const std::string_view distribution = api::string_at(service, {"spec", "trafficDistribution"});
    if (distribution.empty() || !api::bool_at(endpoint, {"conditions", "ready"})) return;
    const std::string_view mode = api::string_at(service, {"metadata", "annotations", "service.kubernetes.io/topology-mode"});
    if (mode == "Auto" || mode == "auto") return;
    const std::string_view node = api::string_at(endpoint, {"nodeName"}), zone = api::string_at(endpoint, {"zone"});
    if (distribution == "PreferSameNode" && !node.empty())
        endpoint["hints"]["forNodes"] = api::Json::array({{{"name", std::string(node)}}});
    if (!zone.empty()) endpoint["hints"]["forZones"] = api::Json::array({{{"name", std::string(zone)}}});
}

std::string_view pod_of(const api::Json& endpoint) { return api::string_at(endpoint, {"targetRef", "uid"}); }

}  // namespace

struct EndpointSliceController::Wanted {
    api::Json ports;
    std::map<std::string, api::Json, std::less<>> endpoints;  // by pod uid
    std::vector<std::string> order;                           // pod uids as the pods come
};

EndpointSliceController::EndpointSliceController(Manager& manager)
    : Controller(manager, "endpointslice", "endpointslice-controller", "endpoint-slice-controller"),
      services_(manager.informer("services")),
      pods_(manager.informer("pods")),
      nodes_(manager.informer("nodes")),
      slices_(manager.informer("endpointslices.discovery.k8s.io")),
      service_pods_(client(), services_, pods_) {
    has_workers(5);
    enqueue_on_change(services_);
    pods_.subscribe([this](const api::Informer::Change& change) {
        for (std::string& key : service_pods_.affected_services(change)) enqueue(std::move(key));
    });
    slices_.subscribe([this](const api::Informer::Change& change) {
        const api::ObjectView& slice = api::view_of(change.after != nullptr ? *change.after : *change.before);
        const std::string* service = slice.label(service_label);
        if (service != nullptr) enqueue(api::object_key(slice.namespace_name, *service));
    });
    // Pods on a node that is not known yet, or whose zone is not, wait for it.
    nodes_.subscribe([this](const api::Informer::Change& change) {
        if (change.before != nullptr && change.after != nullptr &&
            api::view_of(*change.before).labels == api::view_of(*change.after).labels) {
            return;
        }
        for (const storage::RecordPtr& service : services_.list()) enqueue(service->key);
    });
}

std::vector<EndpointSliceController::Wanted> EndpointSliceController::wanted_of(
    const api::Json& service, const std::vector<storage::RecordPtr>& pods) {
    const bool publish_unready = api::bool_at(service, {"spec", "publishNotReadyAddresses"});
    std::map<std::string, Wanted> by_ports;
    for (const storage::RecordPtr& record : pods) {
        const api::PodView& pod = api::pod_view_of(*record);
        if (pod.pod_ip.empty() || pod.finished() || pod.pod_ip.find(':') != std::string::npos) continue;
        const storage::RecordPtr node = nodes_.get(pod.node_name);
        if (node == nullptr && !publish_unready) continue;
        api::Json ports = api::Json::array();
        for (const api::Json& service_port : api::array_at(service, {"spec", "ports"})) {
            const std::optional<int> number = service_pods_.target_port(service_port, *record);
            if (!number) continue;
            api::Json port = {{"name", std::string(api::string_at(service_port, {"name"}))},
                              {"port", *number},
                              {"protocol", std::string(api::string_at(service_port, {"protocol"}, "TCP"))}};
            const std::string_view application = api::string_at(service_port, {"appProtocol"});
            if (!application.empty()) port["appProtocol"] = std::string(application);
            ports.push_back(std::move(port));
        }
        api::Json endpoint = {{"addresses", api::Json::array({pod.pod_ip})},
                              {"conditions", {{"ready", publish_unready || (pod.ready && !pod.deleting)},
                                              {"serving", pod.ready},
                                              {"terminating", pod.deleting}}},
                              {"targetRef", pod_reference(pod)}};
        if (!pod.node_name.empty()) endpoint["nodeName"] = pod.node_name;
        if (node != nullptr) {
            if (const std::string* zone = api::view_of(*node).label("topology.kubernetes.io/zone")) endpoint["zone"] = *zone;
        }
        const PodAddressing& addressing = service_pods_.addressing(*record);
        if (!addressing.hostname.empty() && addressing.subdomain == api::name_of(service)) {
            endpoint["hostname"] = addressing.hostname;
        }
        add_hints(service, endpoint);
        Wanted& wanted = by_ports[ports.dump()];
        wanted.ports = std::move(ports);
        wanted.order.push_back(pod.uid);
        wanted.endpoints.emplace(pod.uid, std::move(endpoint));
    }
    std::vector<Wanted> all;
    for (auto& [text, wanted] : by_ports) all.push_back(std::move(wanted));
    // A service without endpoints still has one slice, to show that somebody looks after it.
    if (all.empty()) all.push_back({api::Json::array(), {}, {}});
    return all;
}

api::ApiResult<Requeue> EndpointSliceController::reconcile(const std::string& key) {
    const auto [namespace_name, name] = split_key(key);
    const storage::RecordPtr record = services_.get(key);
    if (record == nullptr) {  // its slices go with their owner
        triggers_.forget(key);
        return Requeue{};
    }
    if (api::view_of(*record).deleting) return Requeue{};
    const api::Json service = client().document(*record);
    const api::Json& selector = api::object_at(service, {"spec", "selector"});
    if (selector.empty() || api::string_at(service, {"spec", "type"}) == "ExternalName") return Requeue{};

    const std::vector<storage::RecordPtr> pods = service_pods_.select(namespace_name, selector);
    const std::optional<Time> trigger = triggers_.observe(key, api::view_of(*record).created, pods);

    struct Slice {
        storage::RecordPtr record;
        api::Json document;
    };
    std::vector<Slice> unused;
    for (const storage::RecordPtr& slice : slices_.list(namespace_name)) {
        const api::ObjectView& view = api::view_of(*slice);
        const std::string* service_name = view.label(service_label);
        const std::string* managed_by = view.label(manager_label);
        if (view.deleting || service_name == nullptr || *service_name != name) continue;
        if (managed_by == nullptr || *managed_by != manager_name) continue;
        unused.push_back({slice, client().document(*slice)});
    }

    struct Planned {
        storage::RecordPtr record;  // null: to be made
        api::Json ports, endpoints;
    };
    std::vector<Planned> planned;
    for (Wanted& wanted : wanted_of(service, pods)) {
        std::vector<Planned> of_ports;
        for (auto slice = unused.begin(); slice != unused.end();) {
            if (api::array_at(slice->document, {"ports"}) != wanted.ports) {
                ++slice;
                continue;
            }
            api::Json kept = api::Json::array();
            for (const api::Json& endpoint : api::array_at(slice->document, {"endpoints"})) {
                const auto found = wanted.endpoints.find(pod_of(endpoint));
                if (found == wanted.endpoints.end()) continue;
                kept.push_back(std::move(found->second));
                wanted.endpoints.erase(found);
            }
            of_ports.push_back({slice->record, wanted.ports, std::move(kept)});
            slice = unused.erase(slice);
        }
        std::size_t place = 0;
        for (const std::string& uid : wanted.order) {
            const auto found = wanted.endpoints.find(uid);
            if (found == wanted.endpoints.end()) continue;
            while (place < of_ports.size() && of_ports[place].endpoints.size() >= endpoints_max) ++place;
            if (place == of_ports.size()) of_ports.push_back({nullptr, wanted.ports, api::Json::array()});
            of_ports[place].endpoints.push_back(std::move(found->second));
        }
        const bool placeholder = wanted.order.empty();
        if (placeholder && of_ports.empty()) of_ports.push_back({nullptr, wanted.ports, api::Json::array()});
        for (Planned& plan : of_ports) {
            if (!plan.endpoints.empty() || (placeholder && planned.empty())) {
                planned.push_back(std::move(plan));
            } else {
                unused.push_back({plan.record, {}});
            }
        }
    }
    for (Planned& plan : planned) {
        if (plan.record == nullptr && !unused.empty()) {
            plan.record = unused.back().record;
            unused.pop_back();
        }
        TRY(write(service, plan.record, plan.ports, plan.endpoints, trigger));
    }
    for (const Slice& slice : unused) {
        const auto removed = client().remove(kind("endpointslices.discovery.k8s.io"), namespace_name,
                                             api::view_of(*slice.record).name);
        if (!removed && removed.error().code() != 404) return removed.error();
    }
    return Requeue{};
}

api::ApiResult<bool> EndpointSliceController::write(const api::Json& service, const storage::RecordPtr& slice,
                                                    const api::Json& ports, const api::Json& endpoints,
                                                    std::optional<Time> trigger) {
    const std::string namespace_name(api::namespace_of(service));
    const api::KindSpec& slice_kind = kind("endpointslices.discovery.k8s.io");
    api::Json labels = endpoint_labels(service);
    labels[service_label] = std::string(api::name_of(service));
    labels[manager_label] = manager_name;
    const auto fill = [&](api::Json& object) {
        api::Json& metadata = api::ensure(object, {"metadata"});
        metadata["labels"] = labels;
        api::Json& annotations = api::ensure(metadata, {"annotations"});
        annotations.erase(trigger_annotation);
        if (trigger) annotations[trigger_annotation] = api::format_time(*trigger);
        if (annotations.empty()) metadata.erase("annotations");
        object["endpoints"] = endpoints.empty() ? api::Json() : endpoints;
        object["ports"] = ports.empty() ? api::Json() : ports;
        return true;
    };
    if (slice == nullptr) {
        const storage::RecordPtr owner = services_.get(namespace_name, api::name_of(service));
        if (owner == nullptr) return false;
        api::Json made = {{"apiVersion", "discovery.k8s.io/v1"},
                          {"kind", "EndpointSlice"},
                          {"metadata", {{"generateName", std::string(api::name_of(service)) + "-"},
                                        {"namespace", namespace_name},
                                        {"ownerReferences", api::Json::array({controller_reference(
                                                                kind("services"), api::view_of(*owner))})}}},
                          {"addressType", "IPv4"}};
        fill(made);
        const auto created = client().create(slice_kind, namespace_name, std::move(made));
        if (!created && created.error()->reason != "Forbidden") return created.error();
        return true;
    }
    const api::Json old = client().document(*slice);
    if (api::array_at(old, {"endpoints"}) == endpoints && api::array_at(old, {"ports"}) == ports &&
        api::object_at(old, {"metadata", "labels"}) == labels) {
        return false;
    }
    const auto written = client().modify(slice_kind, namespace_name, api::view_of(*slice).name, {}, fill);
    if (!written && written.error().code() != 404) return written.error();
    return true;
}

}  // namespace kubemu::controllers
