// One attempt: what the pod's claims are, which nodes would do for them, and what is reserved.
#include "controllers/scheduler/dynamic_resources.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/values/time.h"
#include "storage/base/text_search.h"

namespace kubemu::controllers::scheduler {

using api::Json;
using devices::Document;

namespace {

constexpr const char* extended_annotation = "resource.kubernetes.io/extended-resource-claim";
// FirstAvailableDeviceRequestMaxSize
constexpr std::int64_t alternatives_max = 8;

PodClaim read_claim(const storage::Record& record, Document document) {
    PodClaim claim;
    const api::ObjectView& view = api::view_of(record);
    claim.key = record.key;
    claim.namespace_name = view.namespace_name;
    claim.name = view.name;
    claim.uid = view.uid;
    claim.document = std::move(document);
    if (const Json* terms = api::find(*claim.document, {"status", "allocation", "nodeSelector", "nodeSelectorTerms"}))
        claim.nodes = read_node_terms(*terms);
    return claim;
}

// For each alternative that was taken: how far up it stands.
std::int64_t score_of_allocation(const Json& claim, const Json& allocation) {
    std::set<std::string> taken;
    for (const Json& result : api::array_at(allocation, {"devices", "results"}))
        taken.emplace(api::string_at(result, {"request"}));
    std::int64_t score = 0;
    for (const Json& request : api::array_at(claim, {"spec", "devices", "requests"})) {
        std::int64_t place = 0;
        for (const Json& alternative : api::array_at(request, {"firstAvailable"})) {
            const std::string name = std::string(api::string_at(request, {"name"})) + "/" +
                                     std::string(api::string_at(alternative, {"name"}));
            if (taken.count(name) > 0) score += alternatives_max - place;
            ++place;
        }
    }
    return score;
}

void refuse(Verdict& verdict, std::string why) {
    verdict.reasons.push_back(std::move(why));
    verdict.resolvable = false;  // no pod gives way to another's claims
}

}  // namespace

bool PodClaim::allocated() const {
    return document != nullptr && api::find(*document, {"status", "allocation"}) != nullptr;
}

bool PodClaim::reserved_for(const std::string& pod_uid) const {
    if (document == nullptr) return false;
    const Json& consumers = api::array_at(*document, {"status", "reservedFor"});
    return std::any_of(consumers.begin(), consumers.end(),
                       [&](const Json& consumer) { return api::string_at(consumer, {"uid"}) == pod_uid; });
}

DynamicResources::DynamicResources(Manager& manager, api::Client& client)
    : manager_(manager),
      client_(client),
      claims_(manager.informer("resourceclaims.resource.k8s.io")),
      classes_(manager.informer("deviceclasses.resource.k8s.io")),
      slices_(manager.informer("resourceslices.resource.k8s.io")) {}

const api::KindSpec& DynamicResources::claim_kind() const {
    return manager_.kind("resourceclaims.resource.k8s.io");
}

void DynamicResources::on_claim(const api::Informer::Change& change) {
    const std::string& key = change.after ? change.after->key : change.before->key;
    const auto pending = pending_.find(key);
    if (pending != pending_.end() && pending->second.written > 0 &&
        (!change.after || change.after->revision >= pending->second.written))
        pending_.erase(pending);
    allocated_.erase(key);
    if (!change.after || !contains_text(*change.after->bytes.get(), "\"allocation\":{")) return;
    const Json document = client_.document(*change.after);
    if (const Json* allocation = api::find(document, {"status", "allocation"}))
        allocated_[key] = std::make_shared<const Json>(*allocation);
}

bool DynamicResources::stand_for(const std::string& resource) {
    return classes_.size() > 0 && resource_classes().count(resource) > 0;
}

bool DynamicResources::concerns(const PodInfo& pod) const {
    return !pod.rules().device_claims.empty() || (classes_.size() > 0 && !pod.requests.extended.empty());
}

// foreachPodResourceClaim: why the claim cannot be used; empty, and null, when none is needed.
std::string DynamicResources::find_claim(const PodInfo& pod, const DeviceClaim& wanted,
                                         storage::RecordPtr& found) const {
    if (!wanted.made) return "pod \"" + pod.key + "\": ResourceClaim not created yet";
    if (wanted.claim.empty()) return {};
    const auto record = client_.get(claim_kind(), pod.namespace_name, wanted.claim);
    if (!record) return "could not find ResourceClaim \"" + pod.namespace_name + "/" + wanted.claim + "\"";
    const api::ObjectView& view = api::view_of(**record);
    if (view.deleting) return "resourceclaim \"" + wanted.claim + "\" is being deleted";
    if (wanted.generated) {
        const api::OwnerReference* owner = view.controller();
        if (owner == nullptr || owner->uid != pod.uid)
            return "ResourceClaim " + (*record)->key + " was not created for Pod " + pod.key + " (Pod is not owner)";
    }
    found = *record;
    return {};
}

std::string DynamicResources::not_ready(const PodInfo& pod) const {
    for (const DeviceClaim& wanted : pod.rules().device_claims) {
        storage::RecordPtr found;
        if (std::string why = find_claim(pod, wanted, found); !why.empty()) return why;
    }
    return {};
}

devices::ClassPtr DynamicResources::class_of(const std::string& name) {
    const storage::RecordPtr record = classes_.get(name);
    if (record == nullptr) {
        read_classes_.erase(name);
        return nullptr;
    }
    auto& [revision, read] = read_classes_[name];
    if (revision != record->revision) {
        revision = record->revision;
        read = devices::read_class(client_.document(*record));
    }
    return read;
}

std::string DynamicResources::unknown_class(const Json& claim) const {
    for (const Json& request : api::array_at(claim, {"spec", "devices", "requests"})) {
        for (const devices::Request& wish : devices::read_request(request)) {
            if (classes_.get(wish.class_name) == nullptr)
                return "request " + wish.full_name() + ": device class " + wish.class_name + " does not exist";
        }
    }
    return {};
}

devices::World DynamicResources::world() {
    devices::World world{{},
                         {},
                         [this](const std::string& name) { return class_of(name); },
                         selectors_,
                         [this] { return manager_.random().uuid("share"); }};
    std::map<std::string, std::pair<storage::Revision, devices::SlicePtr>> read;
    for (const storage::RecordPtr& record : slices_.list()) {
        auto& entry = read[record->key];
        if (const auto known = read_slices_.find(record->key); known != read_slices_.end()) entry = known->second;
        if (entry.first != record->revision) entry = {record->revision, devices::read_slice(client_.document(*record))};
        world.slices.push_back(entry.second);
    }
    read_slices_ = std::move(read);
    for (const auto& [key, allocation] : allocated_)
        if (pending_.count(key) == 0) world.allocated.add(*allocation);
    for (const auto& [key, pending] : pending_) world.allocated.add(*pending.allocation);
    return world;
}

std::shared_ptr<DeviceAttempt> DynamicResources::begin(const PodInfo& pod) {
    if (!concerns(pod)) return nullptr;
    auto attempt = std::make_shared<DeviceAttempt>(*this, pod);
    std::vector<PodClaim> claims;
    for (const DeviceClaim& wanted : pod.rules().device_claims) {
        storage::RecordPtr found;
        attempt->refusal = find_claim(pod, wanted, found);
        if (!attempt->refusal.empty()) return attempt;
        if (found != nullptr) claims.push_back(read_claim(*found, client_.read(*found)));
    }
    attempt->claims_ = std::move(claims);
    find_extended(*attempt);
    if (attempt->claims_.empty()) return nullptr;
    bool allocates = false;
    for (const PodClaim& claim : attempt->claims_) {
        if (claim.allocated()) continue;
        allocates = true;
        if (claim.extended) continue;
        const auto pending = pending_.find(claim.key);
        if (pending != pending_.end() && pending->second.written == 0)
            attempt->refusal = "resource claim " + claim.key + " is in the process of being allocated";
        else
            attempt->refusal = unknown_class(*claim.document);
        if (attempt->refusal.empty()) continue;
        attempt->claims_.clear();
        return attempt;
    }
    if (allocates) attempt->world_.emplace(world());
    return attempt;
}

// The claim of an earlier attempt, or one that is yet to be made.
void DynamicResources::find_extended(DeviceAttempt& attempt) {
    const PodInfo& pod = attempt.pod_;
    if (pod.requests.extended.empty()) return;
    const auto classes = resource_classes();
    for (const auto& [resource, amount] : pod.requests.extended) {
        const auto found = classes.find(resource);
        if (amount > 0 && found != classes.end()) attempt.extended_.insert(*found);
    }
    if (attempt.extended_.empty()) return;
    const auto pod_record = client_.get(manager_.kind("pods"), pod.namespace_name, pod.name);
    if (!pod_record) return;
    attempt.pod_document_ = client_.read(**pod_record);
    PodClaim claim;
    for (const storage::RecordPtr& record : claims_.owned_by(pod.uid)) {
        const Document document = client_.read(*record);
        if (api::string_at(*document, {"metadata", "annotations", extended_annotation}) == "true")
            claim = read_claim(*record, document);
    }
    claim.extended = true;
    claim.namespace_name = pod.namespace_name;
    if (claim.key.empty()) claim.key = pod.key + "/extended-resources";
    attempt.claims_.push_back(std::move(claim));
}

// filterExtendedResources
bool DeviceAttempt::extend(const NodeInfo& node, OfNode& found, std::vector<devices::ClaimSpec>& specs) const {
    if (!claims_.back().name.empty()) return false;
    std::map<std::string, std::string> wanted;
    for (const auto& [resource, device_class] : extended_) {
        const auto own = node.allocatable.extended.find(resource);
        if (own == node.allocatable.extended.end() || own->second == 0) wanted.emplace(resource, device_class);
    }
    if (wanted.empty()) return true;
    const ExtendedRequests made = extended_requests(*pod_document_, wanted);
    found.requests = made.requests;
    found.mappings = made.mappings;
    Json devices = {{"requests", *made.requests}};
    specs.push_back(
        {pod_.namespace_name + "/<extended-resources>", {}, std::make_shared<const Json>(std::move(devices))});
    return true;
}

void DeviceAttempt::check(const NodeInfo& node, Verdict& verdict) {
    if (claims_.empty() || !error.empty()) return;
    OfNode found;
    std::vector<devices::ClaimSpec> specs;
    bool unavailable = false;
    for (std::size_t i = 0; i < claims_.size(); ++i) {
        const PodClaim& claim = claims_[i];
        if (claim.extended) {
            if (!extend(node, found, specs)) return refuse(verdict, "cannot schedule extended resource claim");
        } else if (!claim.allocated()) {
            specs.push_back({claim.key, claim.name,
                             std::make_shared<const Json>(api::object_at(*claim.document, {"spec", "devices"}))});
        } else if ((claim.nodes && !matches_terms(*claim.nodes, node)) || plugin_.has_failed(claim)) {
            unavailable_.insert(i);
            unavailable = true;
        }
    }
    if (!specs.empty()) {
        devices::Outcome outcome = devices::allocate(*world_, node, specs);
        error = std::move(outcome.error);
        if (!error.empty() || !outcome.refusal.empty()) return refuse(verdict, error.empty() ? outcome.refusal : error);
        if (!outcome.found) return refuse(verdict, "cannot allocate all claims");
        found.allocations = std::move(outcome.allocations);
    }
    if (unavailable) return refuse(verdict, "resourceclaim not available on the node");
    by_node_[node.name] = std::move(found);
}

std::int64_t DeviceAttempt::score_of(const NodeInfo& node) const {
    const auto found = by_node_.find(node.name);
    if (found == by_node_.end() || !world_) return 0;
    std::int64_t score = 0;
    std::size_t next = 0;
    for (const PodClaim& claim : claims_) {
        if (claim.extended) continue;
        const Json& allocation = claim.allocated() ? api::object_at(*claim.document, {"status", "allocation"})
                                                   : *found->second.allocations[next++];
        score += score_of_allocation(*claim.document, allocation);
    }
    return score;
}

std::string DeviceAttempt::make_room() {
    if (claims_.empty()) return "no new claims to deallocate";
    for (const std::size_t index : unavailable_) {
        const PodClaim& claim = claims_[index];
        const Json& consumers = api::array_at(*claim.document, {"status", "reservedFor"});
        if (consumers.size() > 1 || (consumers.size() == 1 && !claim.reserved_for(pod_.uid))) continue;
        const auto written = plugin_.client_.modify(
            plugin_.claim_kind(), claim.namespace_name, claim.name, "status", [&](Json& document) {
                if (api::uid_of(document) != claim.uid) return false;
                for (const char* member : {"reservedFor", "allocation", "devices"}) document["status"].erase(member);
                return true;
            });
        return written ? "deallocation of ResourceClaim completed" : written.error()->message;
    }
    if (claims_.back().extended && !claims_.back().name.empty()) {
        const std::string failed = plugin_.delete_claim(claims_.back());
        return failed.empty() ? "deletion of ResourceClaim completed" : failed;
    }
    return "still not schedulable";
}

std::shared_ptr<Reservation> DeviceAttempt::reserve(const NodeInfo& node) {
    const auto found = by_node_.find(node.name);
    if (claims_.empty() || found == by_node_.end()) return nullptr;
    auto reservation = std::make_shared<Reservation>();
    std::size_t next = 0;
    for (const PodClaim& claim : claims_) {
        if (claim.extended && found->second.requests == nullptr) continue;  // the node has what is asked for itself
        PodClaim& held = reservation->claims.emplace_back(claim);
        if (claim.allocated()) continue;
        held.made = found->second.allocations[next++];
        plugin_.pending_[held.key] = {held.made, 0};
        if (!claim.extended) continue;
        reservation->mappings = found->second.mappings;
        held.document =
            std::make_shared<const Json>(Json{{"spec", {{"devices", {{"requests", *found->second.requests}}}}}});
    }
    return reservation;
}

}  // namespace kubemu::controllers::scheduler
