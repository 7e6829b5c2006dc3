// PodControl: pods made from templates and removed again, with the events that tell of it (RealPodControl of
// kube-controller-manager), and the questions that all workload controllers ask of pods.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/client.h"
#include "api/kinds/views.h"
#include "api/schema/kind.h"
#include "controllers/runtime/event_recorder.h"

namespace kubemu::controllers {

class PodControl {
  public:
    // `owner_kind` is the kind of the objects that own the pods. All three must outlive it.
    PodControl(api::Client& client, EventRecorder& events, const api::KindSpec& pods, const api::KindSpec& owner_kind)
        : client_(client), events_(events), pods_(pods), owner_kind_(owner_kind) {}

    // The pod that `pod_from_template` makes, submitted. Events SuccessfulCreate or FailedCreate. An error because
    // the namespace is being deleted has no event (namespace_terminating tells).
    api::ApiResult<storage::RecordPtr> create(const storage::Record& owner, api::Json pod);
    // Events SuccessfulDelete or FailedDelete; a pod that is gone already is no error.
    api::ApiResult<bool> remove(const storage::Record& owner, const api::ObjectView& pod);

    // metadata (labels, annotations, finalizers) and spec of the template, generateName from the owner's name, and
    // the owner reference.
    api::Json pod_from_template(const storage::Record& owner, const api::Json& pod_template) const;

  private:
    api::Client& client_;
    EventRecorder& events_;
    const api::KindSpec& pods_;
    const api::KindSpec& owner_kind_;
};

// The create was refused because the namespace is on its way out: no use trying again.
bool namespace_terminating(const api::Status& status);

// Ready for at least `min_ready_seconds`.
bool is_available(const api::PodView& pod, std::int64_t min_ready_seconds, Time now);
// When the first of the ready but not yet available pods becomes available; nothing when there is none.
std::optional<Time> next_available(const std::vector<storage::RecordPtr>& pods, std::int64_t min_ready_seconds, Time now);

// The order in which pods are given up, first the one that is missed least (controller.ActivePodsWithRanks):
// unscheduled, pending, unready, cheap by annotation controller.kubernetes.io/pod-deletion-cost, crowded on their
// node (`related`: the pods that count for that), ready for a short time, often restarted, young.
void sort_for_deletion(std::vector<storage::RecordPtr>& pods, const std::vector<storage::RecordPtr>& related, Time now,
                       const api::Client& client);

// rand.SafeEncodeString of a 32-bit hash in decimal: what pod-template-hash and revision names look like.
std::string safe_hash(std::uint32_t hash);
std::uint32_t fnv32a(std::string_view text, std::uint32_t seed = 2166136261U);
// The hash of a pod template as controller.ComputeHash uses it: with the collision count, when there was a collision.
std::string template_hash(const api::Json& pod_template, std::optional<std::int64_t> collision_count);

}  // namespace kubemu::controllers
