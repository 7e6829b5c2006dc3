// Reads pods and nodes into the scheduler's own small structs.
#include "controllers/scheduler/pod_info.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "api/kinds/core/pod_requests.h"
#include "api/values/quantity.h"
#include "storage/base/text_search.h"

namespace kubemu::controllers::scheduler {

using api::array_at;
using api::Json;
using api::object_at;
using api::string_at;

void Resources::add(const Resources& other, int sign) {
    cpu_milli += sign * other.cpu_milli;
    memory_bytes += sign * other.memory_bytes;
    ephemeral_bytes += sign * other.ephemeral_bytes;
    for (const auto& [name, amount] : other.extended) extended[name] += sign * amount;
}

bool Toleration::tolerates(const Taint& taint) const {
    if (!effect.empty() && effect != taint.effect) return false;
    if (!key.empty() && key != taint.key) return false;
    if (op == "Exists") return true;
    return !key.empty() && value == taint.value;
}

bool PodTerm::matches(const Namespaces& all, std::string_view namespace_name, const api::Labels& labels) const {
    if (!selector.matches(labels)) return false;
    if (namespaces.count(std::string(namespace_name)) > 0) return true;
    if (!namespace_selector) return false;
    if (namespace_selector->empty()) return true;
    const auto found = all.find(namespace_name);
    return found != all.end() && namespace_selector->matches(found->second);
}

const Constraints& PodInfo::rules() const {
    // The admission plugin DefaultTolerationSeconds gives every pod these two.
    static const Constraints none = [] {
        Constraints rules;
        rules.tolerations = {{"node.kubernetes.io/not-ready", "Exists", "", "NoExecute"},
                             {"node.kubernetes.io/unreachable", "Exists", "", "NoExecute"}};
        return rules;
    }();
    return constraints ? *constraints : none;
}

const std::string* NodeInfo::label(std::string_view key) const {
    const auto found = std::lower_bound(labels.begin(), labels.end(), key,
                                        [](const auto& entry, std::string_view wanted) { return entry.first < wanted; });
    return found != labels.end() && found->first == key ? &found->second : nullptr;
}

void NodeInfo::add(const PodInfoPtr& pod) {
    if (!pods.emplace(pod->key, pod).second) return;
    used.add(pod->requests, 1);
    nonzero_cpu_milli += pod->nonzero_cpu_milli;
    nonzero_memory_bytes += pod->nonzero_memory_bytes;
    if (pod->rules().has_pod_terms()) ++pods_with_affinity;
    if (!pod->rules().anti_affinity.empty()) ++pods_with_anti_affinity;
}

void NodeInfo::remove(const std::string& key) {
    const auto found = pods.find(key);
    if (found == pods.end()) return;
    used.add(found->second->requests, -1);
    nonzero_cpu_milli -= found->second->nonzero_cpu_milli;
    nonzero_memory_bytes -= found->second->nonzero_memory_bytes;
    if (found->second->rules().has_pod_terms()) --pods_with_affinity;
    if (!found->second->rules().anti_affinity.empty()) --pods_with_anti_affinity;
    pods.erase(found);
}

bool text_shows_constraints(std::string_view text) {
    for (const std::string_view member : {"\"affinity\":", "\"nodeSelector\":", "\"topologySpreadConstraints\":", "\"schedulingGates\":",
                                          "\"ephemeral\":", "\"persistentVolumeClaim\":", "\"overhead\":", "\"ephemeral-storage\"",
                                          "\"preemptionPolicy\":\"Never\"", "\"nominatedNodeName\":", "\"resourceClaims\":"}) {
        if (contains_text(text, member)) return true;
    }
    // More than one container: what each asks for matters.
    const std::size_t spec = find_text(text, "\"spec\":{"), status = find_text(text, "\"status\":{");
    for (const char* zero : {"\"cpu\":\"0\"", "\"memory\":\"0\""})
        if (contains_text(text, zero)) return true;
    const std::string_view image = "\"image\":\"";
    const std::size_t first = find_text(text, image, spec);
    if (first < status && find_text(text, image, first + image.size()) < status) return true;
    // Resources of its own beside those of its container.
    const std::string_view resources = "\"resources\":{";
    const std::size_t one = find_text(text, resources, spec);
    if (one < status && find_text(text, resources, one + resources.size()) < status) return true;
    // Tolerations beyond the two that everybody has: a third key, an effect other than NoExecute, or no key.
    if (const auto at = find_text(text, "\"tolerations\":["); at != text.npos) {
        const std::string_view list = text.substr(at, text.find(']', at) - at);
        if (std::count(list.begin(), list.end(), '{') != 2 || list.find("\"node.kubernetes.io/not-ready\"") == list.npos ||
            list.find("\"node.kubernetes.io/unreachable\"") == list.npos || list.find("\"value\"") != list.npos) {
            return true;
        }
    }
    // Requests for something else than cpu and memory.
    for (std::size_t at = find_text(text, "\"requests\":{"); at != text.npos; at = find_text(text, "\"requests\":{", at + 1)) {
        const std::string_view list = text.substr(at + 12, text.find('}', at) - at - 12);
        std::size_t known = 0;
        for (std::string_view name : {"\"cpu\":", "\"memory\":"}) known += list.find(name) != list.npos ? 1 : 0;
        const auto members = list.empty() ? 0 : std::count(list.begin(), list.end(), ',') + 1;
        if (static_cast<std::size_t>(members) != known) return true;
    }
    return false;
}

namespace {

std::int64_t amount(const Json& value) {
    if (value.is_number_integer()) return value.get<std::int64_t>();
    if (!value.is_string()) return 0;
    const auto quantity = api::Quantity::parse(value.get_ref<const std::string&>());
    return quantity ? quantity->value() : 0;
}

std::int64_t milli(const Json& value) {
    if (value.is_number_integer()) return value.get<std::int64_t>() * 1000;
    if (!value.is_string()) return 0;
    const auto quantity = api::Quantity::parse(value.get_ref<const std::string&>());
    return quantity ? quantity->milli_value() : 0;
}

Resources read_resources(const Json& list) {
    Resources result;
    for (const auto& [name, value] : list.items()) {
        if (name == "cpu") result.cpu_milli = milli(value);
        else if (name == "memory") result.memory_bytes = amount(value);
        else if (name == "ephemeral-storage") result.ephemeral_bytes = amount(value);
        else if (name != "pods") result.extended[name] = amount(value);
    }
    return result;
}

NodeTerm read_node_term(const Json& term) {
    NodeTerm result;
    for (const char* member : {"matchExpressions", "matchFields"}) {
        for (const Json& expression : array_at(term, {member})) {
            NodeRequirement requirement;
            requirement.key = string_at(expression, {"key"});
            requirement.op = string_at(expression, {"operator"});
            requirement.on_field = std::string_view(member) == "matchFields";
            for (const Json& value : array_at(expression, {"values"}))
                if (value.is_string()) requirement.values.push_back(value.get<std::string>());
            result.push_back(std::move(requirement));
        }
    }
    return result;
}

PodTerm read_pod_term(const Json& term, std::string_view own_namespace, int weight) {
    PodTerm result;
    const Json* selector = api::find(term, "labelSelector");
    result.selector = api::LabelSelector::from_object(selector != nullptr ? *selector : Json());
    result.topology_key = string_at(term, {"topologyKey"});
    result.weight = weight;
    for (const Json& name : array_at(term, {"namespaces"}))
        if (name.is_string()) result.namespaces.insert(name.get<std::string>());
    const Json* namespaces = api::find(term, "namespaceSelector");
    if (namespaces != nullptr) result.namespace_selector = api::LabelSelector::from_object(*namespaces);
    if (result.namespaces.empty() && namespaces == nullptr) result.namespaces.insert(std::string(own_namespace));
    return result;
}

void read_pod_terms(const Json& affinity, std::string_view own_namespace, std::vector<PodTerm>& required,
                    std::vector<PodTerm>& preferred) {
    for (const Json& term : array_at(affinity, {"requiredDuringSchedulingIgnoredDuringExecution"}))
        required.push_back(read_pod_term(term, own_namespace, 0));
    for (const Json& entry : array_at(affinity, {"preferredDuringSchedulingIgnoredDuringExecution"}))
        preferred.push_back(read_pod_term(object_at(entry, {"podAffinityTerm"}), own_namespace,
                                          static_cast<int>(api::int_at(entry, {"weight"}))));
}

// k8s.io/dynamic-resource-allocation/resourceclaim.Name
DeviceClaim read_device_claim(const Json& entry, const Json& pod) {
    DeviceClaim claim;
    claim.claim = string_at(entry, {"resourceClaimName"});
    if (!claim.claim.empty()) return claim;
    claim.generated = true;
    claim.made = false;
    for (const Json& status : array_at(pod, {"status", "resourceClaimStatuses"})) {
        if (string_at(status, {"name"}) != string_at(entry, {"name"})) continue;
        claim.made = true;
        claim.claim = string_at(status, {"resourceClaimName"});
    }
    return claim;
}

Constraints read_constraints(const Json& pod) {
    Constraints rules;
    const Json& spec = object_at(pod, {"spec"});
    const std::string_view own_namespace = api::namespace_of(pod);
    for (const auto& [key, value] : object_at(spec, {"nodeSelector"}).items())
        if (value.is_string()) rules.node_selector.emplace_back(key, value.get<std::string>());
    const Json& node_affinity = object_at(spec, {"affinity", "nodeAffinity"});
    if (const Json* required = api::find(node_affinity, "requiredDuringSchedulingIgnoredDuringExecution")) {
        rules.has_required_node_terms = true;
        rules.required_node_terms = read_node_terms(array_at(*required, {"nodeSelectorTerms"}));
    }
    for (const Json& entry : array_at(node_affinity, {"preferredDuringSchedulingIgnoredDuringExecution"})) {
        rules.preferred_node_terms.emplace_back(static_cast<int>(api::int_at(entry, {"weight"})),
                                                read_node_term(object_at(entry, {"preference"})));
    }
    read_pod_terms(object_at(spec, {"affinity", "podAffinity"}), own_namespace, rules.affinity, rules.preferred_affinity);
    read_pod_terms(object_at(spec, {"affinity", "podAntiAffinity"}), own_namespace, rules.anti_affinity,
                   rules.preferred_anti_affinity);
    for (const Json& entry : array_at(spec, {"tolerations"})) {
        rules.tolerations.push_back({std::string(string_at(entry, {"key"})), std::string(string_at(entry, {"operator"}, "Equal")),
                                     std::string(string_at(entry, {"value"})), std::string(string_at(entry, {"effect"}))});
    }
    for (const Json& entry : array_at(spec, {"topologySpreadConstraints"})) {
        SpreadConstraint constraint;
        const Json* selector = api::find(entry, "labelSelector");
        Json combined = selector != nullptr ? *selector : Json::object();
        for (const Json& key : array_at(entry, {"matchLabelKeys"})) {
            if (!key.is_string()) continue;
            const Json& labels = object_at(pod, {"metadata", "labels"});
            if (const Json* value = api::find(labels, key.get_ref<const std::string&>()))
                api::ensure(combined, {"matchLabels"})[key.get<std::string>()] = *value;
        }
        constraint.selector = api::LabelSelector::from_object(combined);
        constraint.topology_key = string_at(entry, {"topologyKey"});
        constraint.max_skew = static_cast<int>(api::int_at(entry, {"maxSkew"}, 1));
        constraint.min_domains = static_cast<int>(api::int_at(entry, {"minDomains"}, 1));
        constraint.hard = string_at(entry, {"whenUnsatisfiable"}) != "ScheduleAnyway";
        constraint.honor_affinity = string_at(entry, {"nodeAffinityPolicy"}) != "Ignore";
        constraint.honor_taints = string_at(entry, {"nodeTaintsPolicy"}) == "Honor";
        rules.spread.push_back(std::move(constraint));
    }
    for (const char* list : {"containers", "initContainers"})
        for (const Json& container : array_at(spec, {list})) rules.images.emplace_back(string_at(container, {"image"}));
    for (const Json& volume : array_at(spec, {"volumes"})) {
        if (const auto image = string_at(volume, {"image", "reference"}); !image.empty())
            rules.mounted_images.emplace_back(image);
        if (const auto claim = string_at(volume, {"persistentVolumeClaim", "claimName"}); !claim.empty())
            rules.claims.emplace_back(claim);
        else if (api::find(volume, "ephemeral") != nullptr)
            rules.ephemeral_claims.push_back(std::string(api::name_of(pod)) + "-" + std::string(string_at(volume, {"name"})));
    }
    rules.claims.insert(rules.claims.end(), rules.ephemeral_claims.begin(), rules.ephemeral_claims.end());
    for (const Json& entry : array_at(spec, {"resourceClaims"})) rules.device_claims.push_back(read_device_claim(entry, pod));
    rules.gated = !array_at(spec, {"schedulingGates"}).empty();
    rules.never_preempts = string_at(spec, {"preemptionPolicy"}) == "Never";
    rules.nominated_node = string_at(pod, {"status", "nominatedNodeName"});
    return rules;
}

bool matches_requirement(const NodeRequirement& requirement, const NodeInfo& node) {
    const std::string* value = requirement.on_field ? &node.name : node.label(requirement.key);
    const auto listed = [&] {
        return value != nullptr &&
               std::find(requirement.values.begin(), requirement.values.end(), *value) != requirement.values.end();
    };
    if (requirement.op == "In") return listed();
    if (requirement.op == "NotIn") return !listed();
    if (requirement.op == "Exists") return value != nullptr;
    if (requirement.op == "DoesNotExist") return value == nullptr;
    if (value == nullptr || requirement.values.size() != 1) return false;
    const auto number = [](const std::string& text) {
        std::int64_t parsed = 0;
        const auto end = text.data() + text.size();
        const auto result = std::from_chars(text.data(), end, parsed);
        return result.ec == std::errc() && result.ptr == end ? std::optional(parsed) : std::nullopt;
    };
    const auto left = number(*value), right = number(requirement.values[0]);
    if (!left || !right) return false;
    return requirement.op == "Gt" ? *left > *right : requirement.op == "Lt" && *left < *right;
}

}  // namespace

std::vector<NodeTerm> read_node_terms(const Json& terms) {
    std::vector<NodeTerm> result;
    for (const Json& term : terms) result.push_back(read_node_term(term));
    return result;
}

// Terms are alternatives; an empty term matches nothing.
bool matches_terms(const std::vector<NodeTerm>& terms, const NodeInfo& node) {
    return std::any_of(terms.begin(), terms.end(), [&](const NodeTerm& term) {
        return !term.empty() && std::all_of(term.begin(), term.end(), [&](const NodeRequirement& requirement) {
            return matches_requirement(requirement, node);
        });
    });
}

PodInfoPtr make_pod_info(const storage::Record& record, const api::PodView& view, const Json* document) {
    auto info = std::make_shared<PodInfo>();
    info->key = record.key;
    info->namespace_name = view.namespace_name;
    info->name = view.name;
    info->uid = view.uid;
    info->labels = view.labels;
    info->ports = view.host_ports;
    info->priority = view.priority;
    info->deleting = view.deleting;
    info->requests.cpu_milli = view.cpu_milli;
    info->requests.memory_bytes = view.memory_bytes;
    const auto assumed = [](std::int64_t asked, std::int64_t missing) { return asked > 0 ? asked : missing; };
    info->nonzero_cpu_milli = assumed(view.cpu_milli, api::nonzero_requests.cpu_milli);
    info->nonzero_memory_bytes = assumed(view.memory_bytes, api::nonzero_requests.memory_bytes);
    info->scored_cpu_milli = info->nonzero_cpu_milli;
    info->scored_memory_bytes = info->nonzero_memory_bytes;
    if (document != nullptr) {
        const api::PodRequests nonzero = api::effective_requests(object_at(*document, {"spec"}), api::nonzero_requests);
        info->nonzero_cpu_milli = nonzero.cpu_milli;
        info->nonzero_memory_bytes = nonzero.memory_bytes;
        Json containers = object_at(*document, {"spec"});
        containers.erase("resources");
        const api::PodRequests scored = api::effective_requests(containers, api::nonzero_requests);
        info->scored_cpu_milli = scored.cpu_milli;
        info->scored_memory_bytes = scored.memory_bytes;
        api::PodRequests requests = api::effective_requests(object_at(*document, {"spec"}));
        if (const auto ephemeral = requests.other.extract("ephemeral-storage"))
            info->requests.ephemeral_bytes = ephemeral.mapped();
        info->requests.extended.insert(requests.other.begin(), requests.other.end());
        info->constraints = std::make_shared<const Constraints>(read_constraints(*document));
    }
    return info;
}

void read_node(const Json& node, NodeInfo& info) {
    info.name = api::name_of(node);
    info.labels = api::labels_of(object_at(node, {"metadata", "labels"}));
    info.unschedulable = api::bool_at(node, {"spec", "unschedulable"});
    info.taints.clear();
    for (const Json& taint : array_at(node, {"spec", "taints"})) {
        info.taints.push_back({std::string(string_at(taint, {"key"})), std::string(string_at(taint, {"value"})),
                               std::string(string_at(taint, {"effect"}))});
    }
    const Json& allocatable = object_at(node, {"status", "allocatable"});
    info.allocatable = read_resources(allocatable);
    const Json* pods = api::find(allocatable, "pods");
    info.pods_allocatable = pods != nullptr ? amount(*pods) : 0;
    for (const Json& image : array_at(node, {"status", "images"})) {
        for (const Json& name : array_at(image, {"names"}))
            if (name.is_string()) info.images[name.get<std::string>()] = api::int_at(image, {"sizeBytes"});
    }
}

}  // namespace kubemu::controllers::scheduler
