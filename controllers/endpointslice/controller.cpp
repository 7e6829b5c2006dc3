// Endpoints stay in the slice in which they are; new ones fill up what has room; what is over is reused or removed.
#include "controllers/endpointslice/controller.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "api/registry.h"
#include "api/values/time.h"
#include "controllers/runtime/owner_refs.h"
#include "controllers/runtime/pod_control.h"

namespace kubemu::controllers {

namespace {

constexpr const char* trigger_annotation = "endpoints.kubernetes.io/last-change-trigger-time";
constexpr const char* service_label = "kubernetes.io/service-name";
constexpr const char* manager_label = "endpointslice.kubernetes.io/managed-by";
constexpr const char* manager_name = "endpointslice-controller.k8s.io";
constexpr const char* zone_label = "topology.kubernetes.io/zone";
constexpr const char* nodes_key = "nodes";  // no service's
constexpr std::size_t endpoints_max = 100;

// Where clients of a ready endpoint should be (spec.trafficDistribution, k8s.io/endpointslice/trafficdist): in its
// zone, or on its node and for proxies that know no better in its zone.
void add_distribution_hints(std::string_view distribution, api::Json& endpoint) {
    if (!api::bool_at(endpoint, {"conditions", "ready"})) return;
    const std::string_view node = api::string_at(endpoint, {"nodeName"}), zone = api::string_at(endpoint, {"zone"});
    if (distribution == "PreferSameNode" && !node.empty())
        endpoint["hints"]["forNodes"] = api::Json::array({{{"name", std::string(node)}}});
    if (!zone.empty()) endpoint["hints"]["forZones"] = api::Json::array({{{"name", std::string(zone)}}});
}

// Aggregate.Error of apimachinery's util/errors.
std::string joined(const std::vector<std::string>& errors) {
    if (errors.size() == 1) return errors.front();
    std::string text = "[";
    std::set<std::string> seen;
    for (const std::string& error : errors) {
        if (seen.insert(error).second) text += (text.size() > 1 ? ", " : "") + error;
    }
    return text + "]";
}

// What went wrong, keeping the code.
api::Status failure(const std::string& what, const api::Json& service, const api::Status& error) {
    api::StatusDetail detail = *error;
    detail.message = "failed to " + what + " EndpointSlice for Service " + std::string(api::namespace_of(service)) +
                     "/" + std::string(api::name_of(service)) + ": " + error->message;
    return api::Status(std::move(detail));
}

std::string_view pod_of(const api::Json& endpoint) { return api::string_at(endpoint, {"targetRef", "uid"}); }

}  // namespace

struct EndpointSliceController::Slice {
    storage::RecordPtr record;
    api::Json document;
};

struct EndpointSliceController::Planned {
    storage::RecordPtr record;  // null: to be made
    api::Json ports, endpoints;
    api::Json before;  // the slice as it is, when it has the same ports already
};

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
    slices_.subscribe([this](const api::Informer::Change& change) { slice_changed(change); });
    nodes_.subscribe([this](const api::Informer::Change& change) { node_changed(change); });
}

// What others do to a slice is put right; what this controller wrote it knows.
void EndpointSliceController::slice_changed(const api::Informer::Change& change) {
    const std::string& slice_key = (change.after != nullptr ? change.after : change.before)->key;
    const auto own = written_.find(slice_key);
    const bool expected =
        own != written_.end() && (change.after == nullptr ? own->second == 0 : change.after->revision <= own->second);
    if (own != written_.end() && change.after == nullptr) written_.erase(own);
    if (expected) return;
    for (const storage::RecordPtr& record : {change.before, change.after}) {
        if (record == nullptr) continue;
        const api::ObjectView& slice = api::view_of(*record);
        const std::string* service = slice.label(service_label);
        if (service != nullptr) enqueue(api::object_key(slice.namespace_name, *service));
    }
}

// Pods on a node that is not known yet wait for it; what its labels are later on nobody is told. How the nodes' CPU is
// spread over the zones is looked at once they have all been seen.
void EndpointSliceController::node_changed(const api::Informer::Change& change) {
    const std::string& name = (change.after != nullptr ? change.after : change.before)->key;
    const auto node = change.after == nullptr ? nullptr : client().read(*change.after);
    if (topology_.observe_node(name, node.get())) enqueue(nodes_key);
    if (change.after == nullptr) return;
    if (change.before != nullptr) return;
    for (const std::string& service : incomplete_) enqueue(service);
}

std::vector<EndpointSliceController::Wanted> EndpointSliceController::wanted_of(
    const api::Json& service, std::string_view family, const std::vector<storage::RecordPtr>& pods,
    std::vector<std::string>& problems) {
    const bool publish_unready = api::bool_at(service, {"spec", "publishNotReadyAddresses"});
    std::map<std::string, Wanted> by_ports;
    for (const storage::RecordPtr& record : pods) {
        const api::PodView& pod = api::pod_view_of(*record);
        if (pod.pod_ip.empty() || pod.finished()) continue;
        const storage::RecordPtr node = nodes_.get(pod.node_name);
        if (node == nullptr && !publish_unready) {
            std::string problem = "skipping Pod " + pod.name + " for Service " + pod.namespace_name + "/" +
                                  std::string(api::name_of(service)) + ": Node " + pod.node_name + " Not Found";
            if (std::find(problems.begin(), problems.end(), problem) == problems.end()) problems.push_back(std::move(problem));
            continue;
        }
        const std::string ip = service_pods_.address_of(*record, family);
        if (ip.empty()) continue;
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
        api::Json endpoint = {{"addresses", api::Json::array({ip})},
                              {"conditions", {{"ready", publish_unready || (pod.ready && !pod.deleting)},
                                              {"serving", pod.ready},
                                              {"terminating", pod.deleting}}},
                              {"targetRef", pod_reference(pod)}};
        if (!pod.node_name.empty()) endpoint["nodeName"] = pod.node_name;
        if (node != nullptr) {
            if (const std::string* zone = api::view_of(*node).label(zone_label)) endpoint["zone"] = *zone;
        }
        const PodAddressing& addressing = service_pods_.addressing(*record);
        if (!addressing.hostname.empty() && addressing.subdomain == api::name_of(service)) {
            endpoint["hostname"] = addressing.hostname;
        }
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

std::vector<EndpointSliceController::Slice> EndpointSliceController::slices_of(std::string_view namespace_name,
                                                                               std::string_view name) {
    std::vector<Slice> all;
    for (const storage::RecordPtr& slice : slices_.list(namespace_name)) {
        const api::ObjectView& view = api::view_of(*slice);
        const std::string* service_name = view.label(service_label);
        const std::string* managed_by = view.label(manager_label);
        if (view.deleting || service_name == nullptr || *service_name != name) continue;
        if (managed_by == nullptr || *managed_by != manager_name) continue;
        all.push_back({slice, client().document(*slice)});
    }
    return all;
}

// What stays in `unused` is of no use but to be filled with something else.
std::vector<EndpointSliceController::Planned> EndpointSliceController::plan(std::vector<Wanted> all,
                                                                            std::vector<Slice>& unused) {
    std::vector<Planned> planned;
    for (Wanted& wanted : all) {
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
            of_ports.push_back({slice->record, wanted.ports, std::move(kept), std::move(slice->document)});
            slice = unused.erase(slice);
        }
        std::size_t place = 0;
        for (const std::string& uid : wanted.order) {
            const auto found = wanted.endpoints.find(uid);
            if (found == wanted.endpoints.end()) continue;
            while (place < of_ports.size() && of_ports[place].endpoints.size() >= endpoints_max) ++place;
            if (place == of_ports.size()) of_ports.push_back({nullptr, wanted.ports, api::Json::array(), {}});
            of_ports[place].endpoints.push_back(std::move(found->second));
        }
        const bool placeholder = wanted.order.empty();
        if (placeholder && of_ports.empty()) of_ports.push_back({nullptr, wanted.ports, api::Json::array(), {}});
        for (Planned& one : of_ports) {
            if (!one.endpoints.empty() || (placeholder && planned.empty())) {
                planned.push_back(std::move(one));
            } else {
                unused.push_back({one.record, {}});
            }
        }
    }
    return planned;
}

// Returns what is to be told about them.
std::vector<TopologyCache::Event> EndpointSliceController::add_hints(const std::string& key, const api::Json& service,
                                                                     const std::string& family,
                                                                     std::vector<Planned>& planned) {
    if (!wants_topology_hints(service)) {
        const std::string_view distribution = api::string_at(service, {"spec", "trafficDistribution"});
        for (Planned& plan : planned) {
            for (api::Json& endpoint : plan.endpoints) {
                if (!distribution.empty()) add_distribution_hints(distribution, endpoint);
            }
        }
        if (!topology_.remove(key, family)) return {};
        return {{true, "TopologyAwareHintsDisabled", "Topology Aware Hints has been disabled, addressType: " + family}};
    }
    std::vector<TopologyCache::Slice> slices;
    for (const bool exists : {false, true}) {
        for (Planned& plan : planned) {
            if ((plan.record != nullptr) != exists) continue;
            api::Json before = api::array_at(plan.before, {"endpoints"});
            strip_hints(before);
            const bool changed = before != plan.endpoints;
            if (!changed) plan.endpoints = api::array_at(plan.before, {"endpoints"});
            slices.push_back({&plan.endpoints, changed});
        }
    }
    return topology_.add_hints(key, family, std::move(slices));
}

api::ApiResult<bool> EndpointSliceController::apply(const api::Json& service, const std::string& family,
                                                    std::vector<Planned>& planned, const std::vector<Slice>& unused,
                                                    std::optional<Time> trigger) {
    for (const Planned& plan : planned) TRY(write(service, family, plan, trigger));
    return remove(service, unused);
}

api::ApiResult<bool> EndpointSliceController::remove(const api::Json& service, const std::vector<Slice>& slices) {
    for (const Slice& slice : slices) {
        const api::ObjectView& view = api::view_of(*slice.record);
        written_[slice.record->key] = 0;
        const auto removed = client().remove(kind("endpointslices.discovery.k8s.io"), view.namespace_name, view.name);
        if (!removed && removed.error().code() != 404) return failure("delete " + view.name, service, removed.error());
    }
    return true;
}

api::ApiResult<Requeue> EndpointSliceController::reconcile(const std::string& key) {
    if (key == nodes_key) {
        for (std::string& service : topology_.take_nodes()) enqueue(std::move(service));
        return Requeue{};
    }
    const auto [namespace_name, name] = split_key(key);
    const storage::RecordPtr record = services_.get(key);
    incomplete_.erase(key);
    if (record == nullptr) {  // its slices go with their owner
        triggers_.forget(key);
        for (const char* family : {"IPv4", "IPv6"}) topology_.remove(key, family);
        return Requeue{};
    }
    if (api::view_of(*record).deleting) return Requeue{};
    const api::Json service = client().document(*record);
    const api::Json& selector = api::object_at(service, {"spec", "selector"});
    if (selector.empty() || api::string_at(service, {"spec", "type"}) == "ExternalName") return Requeue{};

    const std::vector<storage::RecordPtr> pods = service_pods_.select(namespace_name, selector);
    const std::optional<Time> trigger = triggers_.observe(key, api::view_of(*record).created, pods);
    std::vector<std::string> problems;
    std::vector<TopologyCache::Event> told;
    std::map<std::string, std::vector<Slice>> existing;
    for (Slice& slice : slices_of(namespace_name, name))
        existing[std::string(api::string_at(slice.document, {"addressType"}))].push_back(std::move(slice));
    // Each family has slices of its own, if only an empty one; those of families that the service has not are removed.
    for (const std::string& family : families_of(service)) {
        std::vector<Slice> unused = std::move(existing[family]);
        existing.erase(family);
        std::vector<Planned> planned = plan(wanted_of(service, family, pods, problems), unused);
        for (Planned& one : planned) {
            if (one.record != nullptr || unused.empty()) continue;
            one.record = unused.back().record;
            unused.pop_back();
        }
        if (!problems.empty()) incomplete_.insert(key);
        for (TopologyCache::Event& event : add_hints(key, service, family, planned)) told.push_back(std::move(event));
        const auto applied = apply(service, family, planned, unused, trigger);
        if (applied) continue;
        if (applied.error().code() == 409) return applied.error();  // the cache is behind
        problems.push_back(applied.error()->message);
    }
    for (const auto& [family, slices] : existing) {
        topology_.remove(key, family);
        if (const auto removed = remove(service, slices); !removed) problems.push_back(removed.error()->message);
    }
    return tell(*record, told, problems);
}

api::ApiResult<Requeue> EndpointSliceController::tell(const storage::Record& service,
                                                      const std::vector<TopologyCache::Event>& told,
                                                      const std::vector<std::string>& problems) {
    const api::Json reference = object_reference(kind("services"), service);
    for (const TopologyCache::Event& event : told) {
        if (event.warning)
            events().warning(reference, event.reason, event.message);
        else
            events().normal(reference, event.reason, event.message);
    }
    if (problems.empty()) return Requeue{};
    const std::string why = joined(problems);
    events().warning(reference, "FailedToUpdateEndpointSlices",
                     "Error updating Endpoint Slices for Service " + service.key + ": " + why);
    return api::Status::plain_500(why);
}

api::ApiResult<bool> EndpointSliceController::write(const api::Json& service, const std::string& family,
                                                    const Planned& plan, std::optional<Time> trigger) {
    const api::Json& ports = plan.ports;
    const api::Json& endpoints = plan.endpoints;
    const storage::RecordPtr& slice = plan.record;
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
                          {"addressType", family}};
        fill(made);
        const auto created = client().create(slice_kind, namespace_name, std::move(made));
        if (!created && !namespace_terminating(created.error())) return failure("create", service, created.error());
        if (created) written_[(*created)->key] = (*created)->revision;
        return true;
    }
    const api::Json old = client().document(*slice);
    if (api::array_at(old, {"endpoints"}) == endpoints && api::array_at(old, {"ports"}) == ports &&
        api::object_at(old, {"metadata", "labels"}) == labels) {
        return false;
    }
    const auto written = client().modify(slice_kind, namespace_name, api::view_of(*slice).name, {}, fill);
    if (!written && written.error().code() != 404) {
        return failure("update " + api::view_of(*slice).name, service, written.error());
    }
    if (written) written_[slice->key] = (*written)->revision;
    return true;
}

}  // namespace kubemu::controllers
