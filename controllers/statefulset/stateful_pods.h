// StatefulPods: one look at the pods of a StatefulSet, and what is made, removed and counted from there.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/client.h"
#include "api/informer.h"
#include "api/kinds/views.h"
#include "controllers/runtime/controller_revisions.h"
#include "controllers/runtime/event_recorder.h"

namespace kubemu::controllers {

class StatefulPods {
  public:
    struct Environment {
        api::Client& client;
        EventRecorder& events;
        const api::KindSpec& sets;
        const api::KindSpec& pods;
        const api::KindSpec& claims;
        api::Informer& claim_informer;
        Time now;
    };
    StatefulPods(Environment environment, const storage::Record& set, const api::Json& object, RevisionState current,
                 RevisionState update, std::int64_t collisions, const std::vector<storage::RecordPtr>& pods);
    ~StatefulPods();

    // Makes, removes and replaces pods, as far as order and strategy allow now.
    api::ApiResult<bool> step();
    // As it stands after the step; a rollout that has come to its end makes the update revision current.
    api::Json status() const;
    std::optional<Duration> next_available() const;

  private:
    struct Slot {
        std::int64_t ordinal = 0;
        storage::RecordPtr record;  // null: there is no such pod
        const api::PodView* pod = nullptr;
    };
    struct Counts {
        std::int64_t replicas = 0, ready = 0, available = 0, current = 0, updated = 0;
    };

    api::ApiResult<bool> step_replica(Slot& slot);         // true: nothing further may happen now
    api::ApiResult<bool> step_condemned(const Slot& slot);
    api::ApiResult<bool> update_pods();
    api::ApiResult<bool> create(const Slot& slot);
    api::ApiResult<bool> remove(const Slot& slot);
    api::ApiResult<bool> for_all(std::vector<Slot>& slots, const std::function<api::ApiResult<bool>(Slot&)>& step);
    api::ApiResult<bool> keep_in_form(const Slot& slot, bool claims_owned);
    api::ApiResult<bool> own_claims(const Slot& slot);
    bool has_volumes(const Slot& slot) const;
    api::Json volumes_with_claims(std::int64_t ordinal, const api::Json& volumes) const;
    api::ApiResult<bool> ensure_claims(std::int64_t ordinal);
    // Puts the owner references on a pod's claims that the retention policy asks for.
    enum class Occasion { made, kept, condemned };  // of the pod
    api::ApiResult<bool> keep_claim_owners(const Slot& slot, Occasion occasion);
    bool claims_are_stale(std::int64_t ordinal) const;
    api::Json make_pod(std::int64_t ordinal) const;
    bool wants_current_revision(std::int64_t ordinal) const;
    void count_change(const Slot& slot, std::int64_t by);
    void report(std::string_view verb, std::string_view what, const api::Status* failure);
    bool healthy(const Slot& slot) const;    // running, ready, not on its way out
    bool available(const Slot& slot) const;
    bool unavailable(const Slot& slot) const;
    std::string pod_name(std::int64_t ordinal) const;
    std::string claim_name(std::string_view claim_template, std::int64_t ordinal) const;
    const api::Json& object() const { return *object_; }

    Environment environment_;
    const storage::Record& set_;
    std::unique_ptr<api::Json> object_;
    RevisionState current_, update_;
    std::int64_t collisions_;
    std::int64_t start_ = 0;
    std::int64_t min_ready_seconds_ = 0;
    bool ordered_ = true;
    std::vector<storage::RecordPtr> pods_;
    std::vector<Slot> slots_;      // one an ordinal that should be
    std::vector<Slot> condemned_;  // pods beyond that, by ordinal
    std::optional<std::int64_t> first_unhealthy_;
    Counts counts_;
};

// The ordinal in "<set>-<ordinal>"; nothing when the name is not of that form.
std::optional<std::int64_t> ordinal_of(std::string_view set_name, std::string_view pod_name);

}  // namespace kubemu::controllers
