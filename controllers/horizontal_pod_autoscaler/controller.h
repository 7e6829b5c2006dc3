// Horizontal pod autoscaler: replicas that follow what the pods use (pkg/controller/podautoscaler).
//
// It looks at an autoscaler a period after it was made and every period from then on
// (--horizontal-pod-autoscaler-sync-period); what changes in between waits for the next look.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "api/selector/label.h"
#include "controllers/horizontal_pod_autoscaler/behavior.h"
#include "controllers/horizontal_pod_autoscaler/metric_sources.h"
#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

class HorizontalPodAutoscalerController final : public Controller {
  public:
    // Without the last two there are no API servers beside this one to ask for metrics.
    explicit HorizontalPodAutoscalerController(Manager& manager, const api::AggregatedServices* services = nullptr,
                                               api::RemoteCaller* remote = nullptr);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    struct Look;  // an autoscaler, its target and its pods
    bool find_target(Look& look);
    std::string read_custom_scale(Look& look, const api::Json& object);
    bool find_pods(Look& look);
    bool recommend(Look& look);
    api::ApiResult<Requeue> scale(Look& look);
    api::ApiResult<bool> rescale(Look& look, std::int64_t replicas, const std::string& why);
    api::ApiResult<bool> write_sizes(Look& look);
    api::ApiResult<bool> write_status(Look& look);

    api::Informer& autoscalers_;
    api::Informer& pods_;
    MetricAdapters adapters_;
    MetricSources sources_;
    std::unordered_map<std::string, ScaleHistory> history_;  // by uid
    std::unordered_map<std::string, api::LabelSelector> selectors_;  // of their targets' pods, by autoscaler key
};

}  // namespace kubemu::controllers
