// The order of things: replicas upwards, condemned pods downwards, then updates downwards. With OrderedReady each
// waits for the one before it to be ready; Parallel waits for nothing but an update's predecessor.
#include "controllers/statefulset/stateful_pods.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "api/registry.h"
#include "api/values/int_or_string.h"
#include "controllers/runtime/owner_refs.h"
#include "controllers/runtime/pod_control.h"

namespace kubemu::controllers {

namespace {

constexpr const char* revision_label = "controller-revision-hash";
constexpr const char* name_label = "statefulset.kubernetes.io/pod-name";
constexpr const char* index_label = "apps.kubernetes.io/pod-index";

bool has_label(const api::PodView& pod, std::string_view key, std::string_view value) {
    const std::string* found = pod.label(key);
    return found != nullptr && *found == value;
}

bool remove_owner(api::Json& owners, std::string_view uid) {
    const auto keep = std::remove_if(owners.begin(), owners.end(), [uid](const api::Json& reference) {
        return api::string_at(reference, {"uid"}) == uid;
    });
    const bool found = keep != owners.end();
    owners.erase(keep, owners.end());
    return found;
}

bool add_owner(api::Json& owners, const api::KindSpec& kind, const api::ObjectView& owner) {
    for (const api::Json& reference : owners) {
        if (api::string_at(reference, {"uid"}) == owner.uid) return false;
    }
    owners.push_back({{"apiVersion", api_version_of(kind)}, {"kind", std::string(kind.kind)}, {"name", owner.name},
                      {"uid", owner.uid}});
    return true;
}

}  // namespace

std::optional<std::int64_t> ordinal_of(std::string_view set_name, std::string_view pod_name) {
    if (!pod_name.starts_with(set_name) || pod_name.size() < set_name.size() + 2 || pod_name[set_name.size()] != '-') {
        return std::nullopt;
    }
    const std::string_view digits = pod_name.substr(set_name.size() + 1);
    std::int64_t ordinal = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), ordinal);
    if (error != std::errc() || end != digits.data() + digits.size() || ordinal < 0) return std::nullopt;
    return ordinal;
}

StatefulPods::StatefulPods(Environment environment, const storage::Record& set, const api::Json& object,
                           RevisionState current, RevisionState update, std::int64_t collisions,
                           const std::vector<storage::RecordPtr>& pods)
    : environment_(environment),
      set_(set),
      object_(std::make_unique<api::Json>(object)),
      current_(std::move(current)),
      update_(std::move(update)),
      collisions_(collisions),
      start_(api::int_at(object, {"spec", "ordinals", "start"})),
      min_ready_seconds_(api::int_at(object, {"spec", "minReadySeconds"})),
      ordered_(api::string_at(object, {"spec", "podManagementPolicy"}) != "Parallel"),
      pods_(pods) {
    const std::int64_t replicas = api::int_at(object, {"spec", "replicas"}, 1);
    slots_.resize(static_cast<std::size_t>(std::max<std::int64_t>(0, replicas)));
    for (std::size_t i = 0; i < slots_.size(); ++i) slots_[i].ordinal = start_ + static_cast<std::int64_t>(i);
    for (const storage::RecordPtr& record : pods_) {
        const api::PodView& pod = api::pod_view_of(*record);
        const std::int64_t ordinal = ordinal_of(api::view_of(set).name, pod.name).value_or(-1);
        const Slot slot{ordinal, record, &pod};
        ++counts_.replicas;
        if (pod.phase == api::PodPhase::running && pod.ready) {
            ++counts_.ready;
            if (is_available(pod, min_ready_seconds_, environment_.now)) ++counts_.available;
        }
        if (!pod.deleting) count_change(slot, 1);
        if (ordinal >= start_ && ordinal < start_ + replicas) {
            slots_[static_cast<std::size_t>(ordinal - start_)] = slot;
        } else {
            condemned_.push_back(slot);
        }
    }
    std::sort(condemned_.begin(), condemned_.end(), [](const Slot& a, const Slot& b) { return a.ordinal < b.ordinal; });
    for (const auto* group : {&slots_, &condemned_}) {
        for (const Slot& slot : *group) {
            if (slot.pod != nullptr && unavailable(slot) && !first_unhealthy_) first_unhealthy_ = slot.ordinal;
        }
    }
}

StatefulPods::~StatefulPods() = default;

void StatefulPods::count_change(const Slot& slot, std::int64_t by) {
    const std::string* revision = slot.pod->label(revision_label);
    if (revision == nullptr) return;
    if (*revision == current_.name) counts_.current += by;
    if (*revision == update_.name) counts_.updated += by;
}

bool StatefulPods::healthy(const Slot& slot) const {
    return slot.pod != nullptr && slot.pod->phase == api::PodPhase::running && slot.pod->ready && !slot.pod->deleting;
}

bool StatefulPods::available(const Slot& slot) const {
    return slot.pod != nullptr && slot.pod->phase == api::PodPhase::running &&
           is_available(*slot.pod, min_ready_seconds_, environment_.now);
}

bool StatefulPods::unavailable(const Slot& slot) const { return !healthy(slot) || !available(slot); }

std::string StatefulPods::pod_name(std::int64_t ordinal) const {
    return api::view_of(set_).name + "-" + std::to_string(ordinal);
}

std::string StatefulPods::claim_name(std::string_view claim_template, std::int64_t ordinal) const {
    return std::string(claim_template) + "-" + pod_name(ordinal);
}

api::ApiResult<bool> StatefulPods::step() {
    if (api::view_of(set_).deleting) return true;
    for (Slot& slot : slots_) {
        TRY_ASSIGN(const bool stop, step_replica(slot));
        if (stop) return true;
    }
    for (const Slot& slot : condemned_) TRY(keep_claim_owners(slot, true));
    for (auto slot = condemned_.rbegin(); slot != condemned_.rend(); ++slot) {
        TRY_ASSIGN(const bool stop, step_condemned(*slot));
        if (stop) return true;
    }
    return update_pods();
}

api::ApiResult<bool> StatefulPods::step_replica(Slot& slot) {
    if (slot.pod == nullptr) {
        // Claims that go with their last pod are waited for, or the new pod would lose them under its feet.
        if (claims_are_stale(slot.ordinal)) return true;
        TRY(create(slot));
        return ordered_;
    }
    if (slot.pod->finished()) {
        if (!slot.pod->deleting) {
            const std::string which = api::view_of(set_).namespace_name + "/" + api::view_of(set_).name;
            const api::Json reference = object_reference(environment_.sets, set_);
            if (slot.pod->phase == api::PodPhase::failed) {
                environment_.events.warning(reference, "RecreatingFailedPod",
                                            "StatefulSet " + which + " is recreating failed Pod " + slot.pod->name);
            } else {
                environment_.events.normal(reference, "RecreatingTerminatedPod",
                                           "StatefulSet " + which + " is recreating terminated Pod " + slot.pod->name);
            }
            TRY(remove(slot));
        }
        return ordered_;
    }
    if (slot.pod->phase == api::PodPhase::pending) TRY(ensure_claims(slot.ordinal, true));
    if (ordered_ && unavailable(slot)) return true;
    TRY(match_identity(slot));
    TRY(keep_claim_owners(slot, false));
    return false;
}

api::ApiResult<bool> StatefulPods::step_condemned(const Slot& slot) {
    if (slot.pod->deleting) return ordered_;
    if (ordered_ && unavailable(slot) && first_unhealthy_ != slot.ordinal) return true;
    TRY(remove(slot));
    return ordered_;
}

api::ApiResult<bool> StatefulPods::update_pods() {
    if (api::string_at(object(), {"spec", "updateStrategy", "type"}) == "OnDelete") return true;
    const api::Json& rolling = api::object_at(object(), {"spec", "updateStrategy", "rollingUpdate"});
    // Counted from the first ordinal, whichever that is.
    const auto first = static_cast<std::size_t>(std::max<std::int64_t>(0, api::int_at(rolling, {"partition"})));
    std::int64_t budget = 1;
    const api::Json* most = api::find(rolling, "maxUnavailable");
    if (most != nullptr) {
        budget = std::max(1, api::scaled_value(*most, static_cast<int>(slots_.size()), true).value_or(1));
    }
    std::int64_t missing = 0;
    if (most != nullptr) {
        missing = std::count_if(slots_.begin(), slots_.end(), [this](const Slot& slot) { return unavailable(slot); });
        if (missing >= budget) return true;
    }
    for (std::size_t i = slots_.size(); i > first; --i) {
        const Slot& slot = slots_[i - 1];
        if (slot.pod == nullptr) return true;  // made just now
        if (!has_label(*slot.pod, revision_label, update_.name) && !slot.pod->deleting) {
            TRY(remove(slot));
            if (most == nullptr || ++missing >= budget) return true;
            continue;
        }
        if (most == nullptr && unavailable(slot)) return true;
    }
    return true;
}

bool StatefulPods::wants_current_revision(std::int64_t ordinal) const {
    if (api::string_at(object(), {"spec", "updateStrategy", "type"}, "RollingUpdate") != "RollingUpdate") return false;
    const api::Json* rolling = api::find(object(), {"spec", "updateStrategy", "rollingUpdate"});
    const std::int64_t kept = rolling == nullptr ? api::int_at(object(), {"status", "currentReplicas"})
                                                 : api::int_at(*rolling, {"partition"});
    return ordinal < start_ + kept;
}

api::Json StatefulPods::make_pod(std::int64_t ordinal) const {
    const RevisionState& revision = wants_current_revision(ordinal) ? current_ : update_;
    const api::ObjectView& view = api::view_of(set_);
    const api::Json pod_template = revision.pod_template();
    api::Json pod = PodControl(environment_.client, environment_.events, environment_.pods, environment_.sets)
                        .pod_from_template(set_, pod_template);
    api::Json& metadata = pod["metadata"];
    metadata["name"] = pod_name(ordinal);
    api::Json& labels = api::ensure(metadata, {"labels"});
    labels[revision_label] = revision.name;
    labels[name_label] = pod_name(ordinal);
    labels[index_label] = std::to_string(ordinal);
    api::Json& spec = api::ensure(pod, {"spec"});
    spec["hostname"] = pod_name(ordinal);
    if (const std::string_view service = api::string_at(object(), {"spec", "serviceName"}); !service.empty()) {
        spec["subdomain"] = std::string(service);
    }
    api::Json volumes = api::Json::array();
    for (const api::Json& claim : api::array_at(object(), {"spec", "volumeClaimTemplates"})) {
        const std::string name(api::name_of(claim));
        volumes.push_back({{"name", name}, {"persistentVolumeClaim", {{"claimName", claim_name(name, ordinal)}}}});
    }
    for (const api::Json& volume : api::array_at(spec, {"volumes"})) {
        const bool replaced = std::any_of(volumes.begin(), volumes.end(), [&volume](const api::Json& made) {
            return api::string_at(made, {"name"}) == api::string_at(volume, {"name"});
        });
        if (!replaced) volumes.push_back(volume);
    }
    if (!volumes.empty()) spec["volumes"] = std::move(volumes);
    metadata["namespace"] = view.namespace_name;
    return pod;
}

api::ApiResult<bool> StatefulPods::create(const Slot& slot) {
    const std::string what = "Pod " + pod_name(slot.ordinal) + " in StatefulSet " + api::view_of(set_).name;
    if (const auto claims = ensure_claims(slot.ordinal, true); !claims) {
        report("create", what, &claims.error());
        return claims.error();
    }
    const auto created =
        environment_.client.create(environment_.pods, api::view_of(set_).namespace_name, make_pod(slot.ordinal));
    if (!created) {
        if (namespace_terminating(created.error())) return true;
        // The name may still be taken by a pod of another owner, which the next look tells.
        if (created.error()->reason != "AlreadyExists") report("create", what, &created.error());
        return created.error();
    }
    report("create", what, nullptr);
    const api::PodView& pod = api::pod_view_of(**created);
    ++counts_.replicas;
    count_change({slot.ordinal, *created, &pod}, 1);
    return true;
}

api::ApiResult<bool> StatefulPods::remove(const Slot& slot) {
    const std::string what = "Pod " + slot.pod->name + " in StatefulSet " + api::view_of(set_).name;
    api::DeleteOptions options;
    options.precondition_uid = slot.pod->uid;
    const auto removed =
        environment_.client.remove(environment_.pods, slot.pod->namespace_name, slot.pod->name, options);
    if (!removed && removed.error().code() != 404) {
        report("delete", what, &removed.error());
        return removed.error();
    }
    report("delete", what, nullptr);
    count_change(slot, -1);
    return true;
}

void StatefulPods::report(std::string_view verb, std::string_view what, const api::Status* failure) {
    const api::Json reference = object_reference(environment_.sets, set_);
    const std::string noun = verb == "create" ? "Create" : verb == "delete" ? "Delete" : "Update";
    std::string message(verb);
    message.append(" ").append(what);
    if (failure == nullptr) {
        environment_.events.normal(reference, "Successful" + noun, message + " successful");
    } else {
        environment_.events.warning(reference, "Failed" + noun, message + " failed error: " + (*failure)->message);
    }
}

// An adopted pod gets the labels by which it is addressed.
api::ApiResult<bool> StatefulPods::match_identity(const Slot& slot) {
    if (has_label(*slot.pod, name_label, slot.pod->name) && has_label(*slot.pod, index_label, std::to_string(slot.ordinal))) {
        return true;
    }
    const auto written = environment_.client.modify(
        environment_.pods, slot.pod->namespace_name, slot.pod->name, {}, [&slot](api::Json& pod) {
            api::Json& labels = api::ensure(pod, {"metadata", "labels"});
            labels[name_label] = slot.pod->name;
            labels[index_label] = std::to_string(slot.ordinal);
            return true;
        });
    if (!written && written.error().code() != 404) return written.error();
    return true;
}

api::ApiResult<bool> StatefulPods::ensure_claims(std::int64_t ordinal, bool announce) {
    const api::ObjectView& view = api::view_of(set_);
    for (const api::Json& claim_template : api::array_at(object(), {"spec", "volumeClaimTemplates"})) {
        const std::string name = claim_name(api::name_of(claim_template), ordinal);
        if (environment_.claim_informer.get(view.namespace_name, name) != nullptr) continue;
        api::Json claim = claim_template;
        claim["apiVersion"] = "v1";
        claim["kind"] = "PersistentVolumeClaim";
        claim.erase("status");
        claim["metadata"]["name"] = name;
        claim["metadata"]["namespace"] = view.namespace_name;
        claim["metadata"].erase("creationTimestamp");
        api::Json& labels = api::ensure(claim, {"metadata", "labels"});
        labels.update(api::object_at(object(), {"spec", "selector", "matchLabels"}));
        if (labels.empty()) claim["metadata"].erase("labels");
        if (api::string_at(object(), {"spec", "persistentVolumeClaimRetentionPolicy", "whenDeleted"}) == "Delete") {
            api::Json owners = api::Json::array();
            add_owner(owners, environment_.sets, view);
            claim["metadata"]["ownerReferences"] = std::move(owners);
        }
        const auto created = environment_.client.create(environment_.claims, view.namespace_name, std::move(claim));
        if (!created && created.error()->reason == "AlreadyExists") continue;
        if (announce) {
            const std::string message =
                "create Claim " + name + " Pod " + pod_name(ordinal) + " in StatefulSet " + view.name;
            const api::Json reference = object_reference(environment_.sets, set_);
            if (created) {
                environment_.events.normal(reference, "SuccessfulCreate", message + " success");
            } else {
                environment_.events.warning(reference, "FailedCreate",
                                            message + " failed error: " + created.error()->message);
            }
        }
        if (!created) return created.error();
    }
    return true;
}

// A claim that is owned by a pod which is gone is about to be collected.
bool StatefulPods::claims_are_stale(std::int64_t ordinal) const {
    const api::ObjectView& view = api::view_of(set_);
    if (api::string_at(object(), {"spec", "persistentVolumeClaimRetentionPolicy", "whenScaled"}) != "Delete") return false;
    for (const api::Json& claim_template : api::array_at(object(), {"spec", "volumeClaimTemplates"})) {
        const auto record =
            environment_.claim_informer.get(view.namespace_name, claim_name(api::name_of(claim_template), ordinal));
        if (record == nullptr) continue;
        for (const api::OwnerReference& owner : api::view_of(*record).owners) {
            if (owner.kind == "Pod" && owner.name == pod_name(ordinal)) return true;
        }
    }
    return false;
}

api::ApiResult<bool> StatefulPods::keep_claim_owners(const Slot& slot, bool condemned) {
    const api::ObjectView& view = api::view_of(set_);
    const api::Json& policy = api::object_at(object(), {"spec", "persistentVolumeClaimRetentionPolicy"});
    const bool by_pod = condemned && api::string_at(policy, {"whenScaled"}) == "Delete";
    const bool by_set = !by_pod && api::string_at(policy, {"whenDeleted"}) == "Delete";
    for (const api::Json& claim_template : api::array_at(object(), {"spec", "volumeClaimTemplates"})) {
        const std::string name = claim_name(api::name_of(claim_template), slot.ordinal);
        const auto record = environment_.claim_informer.get(view.namespace_name, name);
        if (record == nullptr) continue;
        bool owned_by_pod = false, owned_by_set = false;
        for (const api::OwnerReference& owner : api::view_of(*record).owners) {
            owned_by_pod |= owner.uid == slot.pod->uid;
            owned_by_set |= owner.uid == view.uid;
        }
        if (owned_by_pod == by_pod && owned_by_set == by_set) continue;
        const auto written =
            environment_.client.modify(environment_.claims, view.namespace_name, name, {}, [&](api::Json& claim) {
                api::Json& owners = api::ensure(claim, {"metadata"})["ownerReferences"];
                if (!owners.is_array()) owners = api::Json::array();
                bool changed = by_pod ? add_owner(owners, environment_.pods, *slot.pod) : remove_owner(owners, slot.pod->uid);
                changed |= by_set ? add_owner(owners, environment_.sets, view) : remove_owner(owners, view.uid);
                if (owners.empty()) claim["metadata"].erase("ownerReferences");
                return changed;
            });
        if (!written && written.error().code() != 404) return written.error();
    }
    return true;
}

api::Json StatefulPods::status() const {
    std::int64_t current = counts_.current;
    std::string current_name = current_.name;
    const bool rolling = api::string_at(object(), {"spec", "updateStrategy", "type"}, "RollingUpdate") == "RollingUpdate";
    if (rolling && counts_.updated == counts_.replicas && counts_.ready == counts_.replicas) {
        current = counts_.updated;
        current_name = update_.name;
    }
    api::Json status = {{"observedGeneration", api::view_of(set_).generation},
                        {"replicas", counts_.replicas},
                        {"availableReplicas", counts_.available},
                        {"currentRevision", current_name},
                        {"updateRevision", update_.name},
                        {"collisionCount", collisions_}};
    if (counts_.ready != 0) status["readyReplicas"] = counts_.ready;
    if (current != 0) status["currentReplicas"] = current;
    if (counts_.updated != 0) status["updatedReplicas"] = counts_.updated;
    return status;
}

std::optional<Duration> StatefulPods::next_available() const {
    const auto next = controllers::next_available(pods_, min_ready_seconds_, environment_.now);
    if (!next) return std::nullopt;
    return *next - environment_.now;
}

}  // namespace kubemu::controllers
