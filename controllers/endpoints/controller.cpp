// Endpoints follow the pods that a service selects; what they show of more addresses than fit is cut.
#include "controllers/endpoints/controller.h"

#include <nlohmann/json.hpp>

#include "api/values/time.h"
#include "controllers/endpoints/subsets.h"

namespace kubemu::controllers {

namespace {

constexpr const char* trigger_annotation = "endpoints.kubernetes.io/last-change-trigger-time";
constexpr const char* capacity_annotation = "endpoints.kubernetes.io/over-capacity";
constexpr std::size_t addresses_max = 1000;

// Ready addresses are kept in preference to unready ones. True when something was cut.
bool truncate(api::Json& subsets) {
    std::size_t left = addresses_max;
    bool cut = false;
    for (const char* member : {"addresses", "notReadyAddresses"}) {
        for (api::Json& subset : subsets) {
            api::Json* addresses = api::find(subset, member);
            if (addresses == nullptr) continue;
            if (addresses->size() > left) {
                addresses->erase(addresses->begin() + static_cast<std::ptrdiff_t>(left), addresses->end());
                cut = true;
            }
            left -= addresses->size();
            if (addresses->empty()) subset.erase(member);
        }
    }
    return cut;
}

}  // namespace

EndpointsController::EndpointsController(Manager& manager)
    : Controller(manager, "endpoint", "endpoint-controller"),
      services_(manager.informer("services")),
      pods_(manager.informer("pods")),
      endpoints_(manager.informer("endpoints")),
      service_pods_(client(), services_, pods_) {
    has_workers(5);
    services_.subscribe([this](const api::Informer::Change& change) {
        if (change.after == nullptr) gone_.insert(change.before->key);
        enqueue((change.after != nullptr ? change.after : change.before)->key);
    });
    endpoints_.subscribe([this](const api::Informer::Change& change) {
        if (change.after == nullptr) enqueue(change.before->key);
    });
    pods_.subscribe([this](const api::Informer::Change& change) {
        for (std::string& key : service_pods_.affected_services(change)) enqueue(std::move(key));
    });
}

api::Json EndpointsController::subsets_of(const api::Json& service, const std::vector<storage::RecordPtr>& pods) {
    const bool tolerate_unready = api::bool_at(service, {"spec", "publishNotReadyAddresses"});
    const api::Json& service_ports = api::array_at(service, {"spec", "ports"});
    const bool headless = is_headless(service);
    const std::string family = families_of(service).front();
    api::Json served = api::Json::array();
    for (const storage::RecordPtr& record : pods) {
        const api::PodView& pod = api::pod_view_of(*record);
        if (pod.pod_ip.empty() || pod.finished() || (pod.deleting && !tolerate_unready)) continue;
        const std::string ip = service_pods_.address_of(*record, family);
        if (ip.empty()) continue;
        api::Json ports = api::Json::array();
        for (const api::Json& service_port : service_ports) {
            const std::optional<int> number = service_pods_.target_port(service_port, *record);
            if (!number) continue;
            api::Json port = {{"port", *number}, {"protocol", std::string(api::string_at(service_port, {"protocol"}, "TCP"))}};
            for (const char* member : {"name", "appProtocol"}) {
                const std::string_view value = api::string_at(service_port, {member});
                if (!value.empty()) port[member] = std::string(value);
            }
            ports.push_back(std::move(port));
        }
        if (ports.empty() && !(headless && service_ports.empty())) continue;
        api::Json address = {{"ip", ip}, {"targetRef", pod_reference(pod)}};
        if (!pod.node_name.empty()) address["nodeName"] = pod.node_name;
        const PodAddressing& addressing = service_pods_.addressing(*record);
        if (!addressing.hostname.empty() && addressing.subdomain == api::name_of(service)) {
            address["hostname"] = addressing.hostname;
        }
        served.push_back({{"address", std::move(address)}, {"ready", tolerate_unready || pod.ready}, {"ports", std::move(ports)}});
    }
    return repack_subsets(served);
}

api::ApiResult<Requeue> EndpointsController::reconcile(const std::string& key) {
    const auto [namespace_name, name] = split_key(key);
    const api::KindSpec& endpoints_kind = kind("endpoints");
    const storage::RecordPtr record = services_.get(key);
    const storage::RecordPtr current = endpoints_.get(key);
    if (record == nullptr) {
        triggers_.forget(key);
        if (current == nullptr || !gone_.contains(key)) return Requeue{};
        const auto removed = client().remove(endpoints_kind, namespace_name, name);
        if (!removed && removed.error().code() != 404) return removed.error();
        gone_.erase(key);
        return Requeue{};
    }
    gone_.erase(key);
    const api::Json service = client().document(*record);
    const api::Json& selector = api::object_at(service, {"spec", "selector"});
    if (selector.empty() || api::string_at(service, {"spec", "type"}) == "ExternalName") return Requeue{};

    const std::vector<storage::RecordPtr> pods = service_pods_.select(namespace_name, selector);
    const std::optional<Time> trigger = triggers_.observe(key, api::view_of(*record).created, pods);
    api::Json subsets = subsets_of(service, pods);
    const bool cut = truncate(subsets);
    const api::Json labels = endpoint_labels(service);

    const auto fill = [&](api::Json& endpoints) {
        api::Json& metadata = api::ensure(endpoints, {"metadata"});
        if (labels.empty()) {
            metadata.erase("labels");
        } else {
            metadata["labels"] = labels;
        }
        api::Json& annotations = api::ensure(metadata, {"annotations"});
        annotations.erase(trigger_annotation);
        annotations.erase(capacity_annotation);
        if (trigger) annotations[trigger_annotation] = api::format_time(*trigger);
        if (cut) annotations[capacity_annotation] = "truncated";
        if (annotations.empty()) metadata.erase("annotations");
        if (subsets.empty()) {
            endpoints.erase("subsets");
        } else {
            endpoints["subsets"] = subsets;
        }
        return true;
    };
    if (current == nullptr) {
        api::Json made = {{"apiVersion", "v1"}, {"kind", "Endpoints"},
                          {"metadata", {{"name", std::string(name)}, {"namespace", std::string(namespace_name)}}}};
        fill(made);
        const auto created = client().create(endpoints_kind, namespace_name, std::move(made));
        if (!created && created.error()->reason != "NotFound" && created.error()->reason != "Forbidden") return created.error();
        return Requeue{};
    }
    const api::Json old = client().document(*current);
    const bool was_cut = api::find(old, {"metadata", "annotations", capacity_annotation}) != nullptr;
    if (api::array_at(old, {"subsets"}) == subsets && api::object_at(old, {"metadata", "labels"}) == labels && was_cut == cut) {
        return Requeue{};
    }
    const auto written = client().modify(endpoints_kind, namespace_name, name, {}, fill);
    if (!written && written.error().code() != 404) return written.error();
    return Requeue{};
}

}  // namespace kubemu::controllers
