// Which pods serve, and on which ports.
#include "controllers/endpoints/service_pods.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/registry.h"
#include "api/selector/label.h"
#include "storage/base/text_search.h"

namespace kubemu::controllers {

namespace {

bool same_address(const api::PodView& a, const api::PodView& b) {
    return a.ready == b.ready && a.deleting == b.deleting && a.finished() == b.finished() && a.pod_ip == b.pod_ip &&
           a.node_name == b.node_name && a.labels == b.labels && a.ready_since == b.ready_since;
}

bool contains_all(const api::Labels& labels, const api::Labels& wanted) {
    return std::includes(labels.begin(), labels.end(), wanted.begin(), wanted.end());
}

}  // namespace

const ServicePods::Entry& ServicePods::selector_of(const storage::Record& service) {
    Entry& entry = selectors_[api::view_of(service).uid];
    if (entry.revision == service.revision) return entry;
    const api::Json document = client_.document(service);
    const api::Json& selector = api::object_at(document, {"spec", "selector"});
    entry = {service.revision, api::labels_of(selector), !selector.empty()};
    return entry;
}

std::vector<std::string> ServicePods::affected_services(const api::Informer::Change& change) {
    std::vector<std::string> keys;
    if (change.before != nullptr && change.after != nullptr &&
        same_address(api::pod_view_of(*change.before), api::pod_view_of(*change.after))) {
        return keys;
    }
    const api::ObjectView& any = api::view_of(change.after != nullptr ? *change.after : *change.before);
    if (change.after == nullptr) addressing_.erase(any.uid);
    for (const storage::RecordPtr& service : services_.list(any.namespace_name)) {
        const Entry& entry = selector_of(*service);
        if (!entry.selects) continue;
        const bool was = change.before != nullptr && contains_all(api::view_of(*change.before).labels, entry.selector);
        const bool is = change.after != nullptr && contains_all(api::view_of(*change.after).labels, entry.selector);
        if (was || is) keys.push_back(service->key);
    }
    return keys;
}

std::vector<storage::RecordPtr> ServicePods::select(std::string_view namespace_name, const api::Json& selector) const {
    const api::Labels wanted = api::labels_of(selector);
    std::vector<storage::RecordPtr> matching;
    for (storage::RecordPtr& pod : pods_.list(namespace_name)) {
        if (contains_all(api::view_of(*pod).labels, wanted)) matching.push_back(std::move(pod));
    }
    return matching;
}

const PodAddressing& ServicePods::addressing(const storage::Record& record) {
    const api::PodView& view = api::pod_view_of(record);
    const auto known = addressing_.find(view.uid);
    if (known != addressing_.end()) return known->second;
    const api::Json pod = client_.document(record);
    PodAddressing made;
    made.hostname = api::string_at(pod, {"spec", "hostname"});
    made.subdomain = api::string_at(pod, {"spec", "subdomain"});
    const auto read_ports = [&made](const api::Json& containers) {
        for (const api::Json& container : containers) {
            for (const api::Json& port : api::array_at(container, {"ports"})) {
                const std::string_view name = api::string_at(port, {"name"});
                if (name.empty()) continue;
                made.ports.push_back({std::string(name), std::string(api::string_at(port, {"protocol"}, "TCP")),
                                      static_cast<int>(api::int_at(port, {"containerPort"}))});
            }
        }
    };
    read_ports(api::array_at(pod, {"spec", "containers"}));
    for (const api::Json& container : api::array_at(pod, {"spec", "initContainers"})) {
        // Sidecars serve too.
        if (api::string_at(container, {"restartPolicy"}) == "Always") read_ports(api::Json::array({container}));
    }
    return addressing_.emplace(view.uid, std::move(made)).first->second;
}

std::string ServicePods::address_of(const storage::Record& record, std::string_view family) const {
    const auto fits = [&](std::string_view ip) { return !ip.empty() && (ip.find(':') != ip.npos) == (family == "IPv6"); };
    const std::string& first = api::pod_view_of(record).pod_ip;
    if (fits(first)) return first;
    if (!contains_text(*record.bytes.get(), "\"podIPs\":")) return {};
    const api::Json pod = client_.document(record);
    for (const api::Json& entry : api::array_at(pod, {"status", "podIPs"}))
        if (fits(api::string_at(entry, {"ip"}))) return std::string(api::string_at(entry, {"ip"}));
    return {};
}

std::optional<int> ServicePods::target_port(const api::Json& service_port, const storage::Record& pod) {
    const api::Json* target = api::find(service_port, "targetPort");
    if (target == nullptr) return static_cast<int>(api::int_at(service_port, {"port"}));
    if (target->is_number()) return target->get<int>();
    const std::string_view protocol = api::string_at(service_port, {"protocol"}, "TCP");
    for (const PodPort& port : addressing(pod).ports) {
        if (port.name == target->get_ref<const std::string&>() && port.protocol == protocol) return port.number;
    }
    return std::nullopt;
}

std::optional<Time> TriggerTimes::observe(const std::string& key, Time service_created,
                                          const std::vector<storage::RecordPtr>& pods) {
    const auto [entry, fresh] = seen_.try_emplace(key);
    Seen& seen = entry->second;
    std::optional<Time> earliest;
    const auto consider = [&earliest](Time time) {
        if (!earliest || time < *earliest) earliest = time;
    };
    std::unordered_map<std::string, Time> now;
    for (const storage::RecordPtr& record : pods) {
        const api::PodView& pod = api::pod_view_of(*record);
        if (pod.ready_since == Time{}) continue;
        const auto known = seen.pods.find(pod.name);
        if (known == seen.pods.end() || known->second < pod.ready_since) consider(pod.ready_since);
        now.emplace(pod.name, pod.ready_since);
    }
    if (service_created > seen.service) consider(service_created);
    seen = {service_created, std::move(now)};
    // Nothing is known of how pods were before their service was seen for the first time.
    return fresh ? service_created : earliest;
}

bool is_headless(const api::Json& service) { return api::string_at(service, {"spec", "clusterIP"}) == "None"; }

std::vector<std::string> families_of(const api::Json& service) {
    std::vector<std::string> families;
    for (const api::Json& family : api::array_at(service, {"spec", "ipFamilies"}))
        if (family.is_string()) families.push_back(family.get<std::string>());
    if (families.empty()) families.emplace_back("IPv4");
    return families;
}

api::Json endpoint_labels(const api::Json& service) {
    api::Json labels = api::object_at(service, {"metadata", "labels"});
    labels.erase("service.kubernetes.io/headless");
    if (is_headless(service)) labels["service.kubernetes.io/headless"] = "";
    return labels;
}

api::Json pod_reference(const api::PodView& pod) {
    return {{"kind", "Pod"}, {"namespace", pod.namespace_name}, {"name", pod.name}, {"uid", pod.uid}};
}

}  // namespace kubemu::controllers
