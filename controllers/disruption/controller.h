// PodDisruptionBudget: how many pods may be evicted now (pkg/controller/disruption).
#pragma once

#include "controllers/runtime/controller.h"
#include "controllers/runtime/owner_refs.h"

namespace kubemu::controllers {

class DisruptionController final : public Controller {
  public:
    explicit DisruptionController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    struct Need {
        std::int64_t expected = 0, healthy = 0;
        bool unmanaged = false;  // some pods have no controller that would say how many there should be
    };
    // The names of the budgets that select the pod.
    std::vector<std::string> enqueue_matching(const api::ObjectView& pod);
    void pod_changed(const api::Informer::Change& change);
    // The error is the sentence for the condition and the event.
    Result<Need, std::string> need_of(const api::Json& budget, const std::vector<storage::RecordPtr>& pods);
    Result<std::int64_t, std::string> expected_scale(const std::vector<storage::RecordPtr>& pods, bool& unmanaged);

    api::Informer& budgets_;
    api::Informer& pods_;
    api::Informer& replica_sets_;
    api::Informer& controllers_;
    api::Informer& deployments_;
    api::Informer& stateful_sets_;
    SelectorCache selectors_;
};

}  // namespace kubemu::controllers
