// What a pod's claims ask of its node
// (pkg/scheduler/framework/plugins/{volumebinding,volumezone,volumerestrictions}).
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/values/quantity.h"
#include "api/values/text.h"
#include "controllers/scheduler/controller.h"
#include "storage/base/log.h"

namespace kubemu::controllers {

using api::Json;
using scheduler::NodeInfo;
using scheduler::PodInfo;
using scheduler::VolumeRule;

namespace {

constexpr const char* selected_node = "volume.kubernetes.io/selected-node";
// A free volume that the claim may take (pkg/volume/util/volume-helper FindMatchingVolume), its size aside.
bool suits(const Json& volume, const Json& claim, const std::string& class_name) {
    if (api::find(volume, {"metadata", "deletionTimestamp"}) != nullptr) return false;
    if (api::string_at(volume, {"spec", "storageClassName"}) != class_name) return false;
    if (api::string_at(volume, {"spec", "volumeMode"}, "Filesystem") !=
        api::string_at(claim, {"spec", "volumeMode"}, "Filesystem"))
        return false;
    const Json& modes = api::array_at(volume, {"spec", "accessModes"});
    for (const Json& mode : api::array_at(claim, {"spec", "accessModes"}))
        if (std::find(modes.begin(), modes.end(), mode) == modes.end()) return false;
    const Json* selector = api::find(claim, {"spec", "selector"});
    return selector == nullptr || api::LabelSelector::from_object(*selector).matches(
                                      api::labels_of(api::object_at(volume, {"metadata", "labels"})));
}

std::vector<scheduler::NodeTerm> terms_of(const Json& volume) {
    const Json* terms = api::find(volume, {"spec", "nodeAffinity", "required", "nodeSelectorTerms"});
    return terms == nullptr ? std::vector<scheduler::NodeTerm>() : scheduler::read_node_terms(*terms);
}

}  // namespace

bool SchedulerController::is_fully_bound(const Json& claim) {
    return !api::string_at(claim, {"spec", "volumeName"}).empty() &&
           api::find(claim, {"metadata", "annotations", "pv.kubernetes.io/bind-completed"}) != nullptr;
}

VolumeRule SchedulerController::rule_of_bound(const std::string& volume_name) {
    VolumeRule rule;
    const auto volume = volumes_.get(volume_name);
    if (volume == nullptr) {
        rule.kind = VolumeRule::Kind::missing;
        return rule;
    }
    const Json document = client().document(*volume);
    rule.terms = terms_of(document);
    for (const scheduler::ZoneLabel& label : scheduler::zone_labels) {
        const auto value = api::string_at(api::object_at(document, {"metadata", "labels"}), {label.name});
        if (value.empty()) continue;
        std::set<std::string> values;  // "a__b": either will do
        std::string rest(value);
        for (std::size_t at; (at = rest.find("__")) != std::string::npos; rest.erase(0, at + 2))
            values.insert(rest.substr(0, at));
        values.insert(rest);
        rule.zones.emplace_back(label.name, std::move(values));
    }
    return rule;
}

VolumeRule SchedulerController::rule_of_waiting(const Json& claim, const Json& storage_class) {
    VolumeRule rule;
    rule.kind = VolumeRule::Kind::selectable;
    const std::string key = std::string(api::namespace_of(claim)) + "/" + std::string(api::name_of(claim));
    rule.selected_node = api::string_at(claim, {"metadata", "annotations", selected_node});
    if (const auto assumed = assumed_claims_.find(key); assumed != assumed_claims_.end())
        rule.selected_node = assumed->second;
    const auto wanted =
        api::Quantity::parse(api::string_at(claim, {"spec", "resources", "requests", "storage"}));
    const std::string class_name(api::string_at(claim, {"spec", "storageClassName"}));
    struct Free {
        api::Quantity size;
        std::string name;
        std::vector<scheduler::NodeTerm> terms;
    };
    std::vector<Free> found;
    for (const auto& record : volumes_.list()) {
        if (!rule.selected_node.empty()) break;
        const Json volume = client().document(*record);
        const auto assumed = assumed_volumes_.find(record->key);
        if (assumed != assumed_volumes_.end() && assumed->second != key) continue;
        if (const Json* owner = api::find(volume, {"spec", "claimRef"})) {
            const bool ours = api::string_at(*owner, {"name"}) == api::name_of(claim) &&
                              api::string_at(*owner, {"namespace"}) == api::namespace_of(claim);
            if (!ours) continue;
        }
        const auto size = api::Quantity::parse(api::string_at(volume, {"spec", "capacity", "storage"}));
        if (!size || (wanted && *size < *wanted) || !suits(volume, claim, class_name)) continue;
        found.push_back({*size, std::string(api::name_of(volume)), terms_of(volume)});
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const Free& a, const Free& b) { return a.size < b.size; });
    for (Free& each : found) rule.free_volumes.emplace_back(std::move(each.name), std::move(each.terms));
    const std::string provisioner(api::string_at(storage_class, {"provisioner"}));
    rule.can_be_made = provisioner != "kubernetes.io/no-provisioner";
    read_capacity(provisioner, class_name, wanted, rule);
    for (const Json& topology : api::array_at(storage_class, {"allowedTopologies"})) {
        scheduler::NodeTerm term;
        for (const Json& expression : api::array_at(topology, {"matchLabelExpressions"})) {
            scheduler::NodeRequirement requirement;
            requirement.key = api::string_at(expression, {"key"});
            requirement.op = "In";
            for (const Json& value : api::array_at(expression, {"values"}))
                if (value.is_string()) requirement.values.push_back(value.get<std::string>());
            term.push_back(std::move(requirement));
        }
        rule.topologies.push_back(std::move(term));
    }
    return rule;
}

// Where the driver says how much room there is: from which nodes there is enough for the claim.
void SchedulerController::read_capacity(const std::string& provisioner, const std::string& class_name,
                                        const std::optional<api::Quantity>& wanted, VolumeRule& rule) {
    const auto driver = manager().informer("csidrivers.storage.k8s.io").get(provisioner);
    if (!wanted || driver == nullptr || !api::bool_at(client().document(*driver), {"spec", "storageCapacity"})) return;
    rule.needs_capacity = true;
    for (const auto& record : manager().informer("csistoragecapacities.storage.k8s.io").list()) {
        const Json document = client().document(*record);
        if (api::string_at(document, {"storageClassName"}) != class_name) continue;
        const std::string_view largest = api::string_at(document, {"maximumVolumeSize"});
        const auto room = api::Quantity::parse(largest.empty() ? api::string_at(document, {"capacity"}) : largest);
        if (!room || *room < *wanted) continue;
        const Json* topology = api::find(document, "nodeTopology");
        rule.with_capacity.push_back(api::LabelSelector::from_object(topology != nullptr ? *topology : Json()));
    }
}

std::string SchedulerController::user_of_claim(const PodInfo& pod, const std::string& claim) const {
    for (const auto& [name, node] : nodes_) {
        for (const auto& [key, other] : node.pods) {
            if (key == pod.key || other->namespace_name != pod.namespace_name) continue;
            const auto& claims = other->rules().claims;
            if (std::find(claims.begin(), claims.end(), claim) != claims.end()) return key;
        }
    }
    return {};
}

// Why the claims of the pod keep it from every node; empty when they do not.
std::string SchedulerController::refusal_of_claims(const PodInfo& pod, scheduler::Plugin& by) {
    const auto& ephemeral = pod.rules().ephemeral_claims;
    const auto is_ephemeral = [&](const std::string& name) {
        return std::find(ephemeral.begin(), ephemeral.end(), name) != ephemeral.end();
    };
    by = scheduler::Plugin::volume_restrictions;
    for (const std::string& name : pod.rules().claims)
        if (!is_ephemeral(name) && claims_.get(pod.namespace_name, name) == nullptr)
            return "persistentvolumeclaim \"" + name + "\" not found";
    by = scheduler::Plugin::volume_binding;
    for (const std::string& name : pod.rules().claims) {
        const auto record = claims_.get(pod.namespace_name, name);
        if (record == nullptr)
            return "waiting for ephemeral volume controller to create the persistentvolumeclaim \"" + name + "\"";
        const Json claim = client().document(*record);
        if (api::string_at(claim, {"status", "phase"}) == "Lost")
            return "persistentvolumeclaim \"" + name + "\" bound to non-existent persistentvolume \"" +
                   std::string(api::string_at(claim, {"spec", "volumeName"})) + "\"";
        if (api::find(claim, {"metadata", "deletionTimestamp"}) != nullptr)
            return "persistentvolumeclaim \"" + name + "\" is being deleted";
        const Json& owners = api::array_at(claim, {"metadata", "ownerReferences"});
        const bool is_its = std::any_of(owners.begin(), owners.end(), [&](const Json& owner) {
            return api::bool_at(owner, {"controller"}) && api::string_at(owner, {"uid"}) == pod.uid;
        });
        if (is_ephemeral(name) && !is_its)
            return "PVC " + record->key + " was not created for pod " + pod.key + " (pod is not owner)";
    }
    return {};
}

SchedulerController::Volumes SchedulerController::volumes_of(const PodInfo& pod) {
    Volumes result;
    result.refusal = refusal_of_claims(pod, result.refused_by);
    if (!result.refusal.empty()) return result;
    struct Unbound {
        api::Quantity size;
        std::string name;
        VolumeRule rule;
    };
    std::vector<Unbound> unbound;
    std::string missing;  // a volume
    for (const std::string& name : pod.rules().claims) {
        const Json claim = client().document(*claims_.get(pod.namespace_name, name));
        const Json& modes = api::array_at(claim, {"spec", "accessModes"});
        if (std::find(modes.begin(), modes.end(), "ReadWriteOncePod") != modes.end()) {
            if (const std::string user = user_of_claim(pod, name); !user.empty()) {
                VolumeRule rule;
                rule.kind = VolumeRule::Kind::taken;
                rule.user = user;
                result.rules.push_back(std::move(rule));
            }
        }
        const std::string volume_name(api::string_at(claim, {"spec", "volumeName"}));
        if (is_fully_bound(claim)) {
            result.rules.push_back(rule_of_bound(volume_name));
            // VolumeZone asks for the volume of every claim, but does not see the ephemeral ones.
            const auto& ephemeral = pod.rules().ephemeral_claims;
            if (result.rules.back().kind == VolumeRule::Kind::missing && missing.empty() &&
                std::find(ephemeral.begin(), ephemeral.end(), name) == ephemeral.end())
                missing = volume_name;
            continue;
        }
        const auto class_record = classes_.get(api::string_at(claim, {"spec", "storageClassName"}));
        const Json storage_class =
            class_record != nullptr ? client().document(*class_record) : Json::object();
        if (!volume_name.empty() ||
            api::string_at(storage_class, {"volumeBindingMode"}) != "WaitForFirstConsumer") {
            result.refusal = "pod has unbound immediate PersistentVolumeClaims";
            result.refused_by = scheduler::Plugin::volume_binding;
            return result;
        }
        const auto size = api::Quantity::parse(api::string_at(claim, {"spec", "resources", "requests", "storage"}));
        unbound.push_back({size ? *size : api::Quantity(), name, rule_of_waiting(claim, storage_class)});
    }
    if (!missing.empty()) {
        result.refusal = "persistentvolume \"" + missing + "\" not found";
        result.refused_by = scheduler::Plugin::volume_zone;
        return result;
    }
    std::stable_sort(unbound.begin(), unbound.end(),
                     [](const Unbound& a, const Unbound& b) { return a.size < b.size; });
    for (Unbound& each : unbound) {
        result.to_bind.push_back(std::move(each.name));
        result.rules.push_back(std::move(each.rule));
    }
    return result;
}

}  // namespace kubemu::controllers
