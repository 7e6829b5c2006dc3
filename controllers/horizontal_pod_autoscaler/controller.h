// Horizontal pod autoscaler: replicas that follow what the pods use (pkg/controller/podautoscaler).
//
// It looks when something has changed, not every 15 seconds; after it scaled, or when a window or a rate holds it
// back, it looks again at the real one's next turn.
#pragma once

#include <optional>
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
    void pod_changed(const api::Informer::Change& change);
    bool find_target(Look& look);
    std::string read_custom_scale(Look& look, const api::Json& object);
    bool find_pods(Look& look);
    void follow_metrics();
    bool recommend(Look& look);
    api::ApiResult<Requeue> scale(Look& look);
    api::ApiResult<bool> rescale(Look& look, std::int64_t replicas, const std::string& why);
    api::ApiResult<bool> write_status(Look& look);

    api::Informer& autoscalers_;
    api::Informer& pods_;
    MetricAdapters adapters_;
    MetricSources sources_;
    std::unordered_map<std::string, ScaleHistory> history_;  // by uid
    std::unordered_map<std::string, std::string> targets_;   // "namespace/resource/name" by autoscaler key
    std::unordered_map<std::string, api::LabelSelector> selectors_;  // of their targets' pods, by autoscaler key
};

}  // namespace kubemu::controllers
