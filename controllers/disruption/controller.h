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
    struct OwnerScale {
        std::string uid;
        std::int64_t replicas = 0;
    };
    // The condition DisruptionAllowed.
    struct Allowance {
        bool allowed = false;
        std::string reason, message;
        std::int64_t observed_generation = 0;
    };
    // The names of the budgets that select the pod.
    std::vector<std::string> enqueue_matching(const api::ObjectView& pod);
    void pod_changed(const api::Informer::Change& change);
    // The error is the sentence for the condition and the event.
    Result<Need, std::string> need_of(const api::Json& budget, const std::vector<storage::RecordPtr>& pods);
    Result<std::optional<OwnerScale>, std::string> scale_of(const std::string& namespace_name,
                                                            const api::OwnerReference& owner);
    Result<std::int64_t, std::string> expected_scale(const std::vector<storage::RecordPtr>& pods, bool& unmanaged);

    api::Json disrupted_pods(const storage::Record& budget, const api::Json& announced,
                             const std::vector<storage::RecordPtr>& pods, std::optional<Time>& recheck);
    void set_condition(api::Json& status, const Allowance& allowance) const;
    api::ApiResult<Requeue> reconcile_pod(const std::string& pod_key);

    api::Informer& budgets_;
    api::Informer& pods_;
    api::Informer& deployments_;
    SelectorCache selectors_;
};

}  // namespace kubemu::controllers
