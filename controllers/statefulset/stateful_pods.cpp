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

// In order, until one stops it; or, where order does not matter, in batches that grow as long as all goes well: what
// fails does so for its whole batch (slowStartBatch). True when nothing further may happen now.
api::ApiResult<bool> StatefulPods::for_all(std::vector<Slot>& slots,
                                           const std::function<api::ApiResult<bool>(Slot&)>& step) {
    constexpr std::size_t batch_max = 500;
    std::size_t batch = 1;
    for (std::size_t next = 0; next < slots.size(); batch = ordered_ ? 1 : std::min(2 * batch, batch_max)) {
        std::optional<api::Status> failure;
        for (const std::size_t end = std::min(next + batch, slots.size()); next < end; ++next) {
            const api::ApiResult<bool> stop = step(slots[next]);
            if (!stop && !failure) failure = stop.error();
            if (stop && *stop && ordered_) return true;
        }
        if (failure) return *failure;
    }
    return false;
}

api::ApiResult<bool> StatefulPods::step() {
    if (api::view_of(set_).deleting) return true;
    TRY_ASSIGN(bool stop, for_all(slots_, [this](Slot& slot) { return step_replica(slot); }));
    if (stop) return true;
    for (const Slot& slot : condemned_) TRY(keep_claim_owners(slot, Occasion::condemned));
    std::vector<Slot> downwards(condemned_.rbegin(), condemned_.rend());
    TRY_ASSIGN(stop, for_all(downwards, [this](const Slot& slot) { return step_condemned(slot); }));
    if (stop) return true;
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
    const bool pending = slot.pod->phase == api::PodPhase::pending;
    if (pending) {
        TRY(ensure_claims(slot.ordinal));
        TRY(own_claims(slot));
    }
    if (ordered_ && unavailable(slot)) return true;
    TRY(keep_in_form(slot, pending));
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
        budget = std::max(1, api::scaled_value(*most, static_cast<int>(slots_.size()), false).value_or(1));
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
    api::Json volumes = volumes_with_claims(ordinal, api::array_at(spec, {"volumes"}));
    if (!volumes.empty()) spec["volumes"] = std::move(volumes);
    metadata["namespace"] = view.namespace_name;
    return pod;
}

api::ApiResult<bool> StatefulPods::create(const Slot& slot) {
    const std::string what = "Pod " + pod_name(slot.ordinal) + " in StatefulSet " + api::view_of(set_).name;
    if (const auto claims = ensure_claims(slot.ordinal); !claims) {
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
    const api::PodView& pod = api::pod_view_of(**created);
    const Slot made{slot.ordinal, *created, &pod};
    ++counts_.replicas;
    count_change(made, 1);
    TRY(own_claims(made));
    report("create", what, nullptr);
    return true;
}

// The owners of a pod's claims, of which only a failure is told.
api::ApiResult<bool> StatefulPods::own_claims(const Slot& slot) {
    const auto owned = keep_claim_owners(slot, Occasion::made);
    if (!owned)
        report("update", "Pod " + slot.pod->name + " in StatefulSet " + api::view_of(set_).name, &owned.error());
    return owned;
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

// A pod that was adopted gets the labels by which it is addressed and the volumes of its claims, and claims get the
// owners that the retention policy asks for.
api::ApiResult<bool> StatefulPods::keep_in_form(const Slot& slot, bool claims_owned) {
    const bool addressed = has_label(*slot.pod, name_label, slot.pod->name);
    const bool stored = addressed || has_volumes(slot);  // volumes never change
    bool owned = false;
    if (!claims_owned) {
        TRY_ASSIGN(owned, keep_claim_owners(slot, Occasion::kept));
    }
    if (addressed && stored && !owned) return true;
    const std::string what = "Pod " + slot.pod->name + " in StatefulSet " + api::view_of(set_).name;
    if (!stored) {
        if (const auto claims = ensure_claims(slot.ordinal); !claims) {
            report("update", what, &claims.error());
            return claims.error();
        }
    }
    const auto written = environment_.client.modify(
        environment_.pods, slot.pod->namespace_name, slot.pod->name, {}, [&](api::Json& pod) {
            if (!addressed) {
                api::Json& labels = api::ensure(pod, {"metadata", "labels"});
                labels[name_label] = slot.pod->name;
                labels[index_label] = std::to_string(slot.ordinal);
            }
            if (!stored)
                pod["spec"]["volumes"] = volumes_with_claims(slot.ordinal, api::array_at(pod, {"spec", "volumes"}));
            return !addressed || !stored;
        });
    if (written) {
        report("update", what, nullptr);
        return true;
    }
    report("update", what, &written.error());
    return written.error();
}

api::Json StatefulPods::status() const {
    std::int64_t current = counts_.current;
    std::string current_name = current_.name;
    const bool rolling = api::string_at(object(), {"spec", "updateStrategy", "type"}, "RollingUpdate") == "RollingUpdate";
    const auto wanted = static_cast<std::int64_t>(slots_.size());
    if (rolling && counts_.updated == wanted && counts_.ready == wanted && counts_.replicas == wanted) {
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
