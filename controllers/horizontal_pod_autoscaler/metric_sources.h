// MetricSources: the values of an autoscaler's metrics and the replicas that they ask for, each in the real one's words
// (pkg/controller/podautoscaler/horizontal.go computeStatusFor..., replica_calculator.go).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/client.h"
#include "api/values/object.h"
#include "api/selector/label.h"
#include "controllers/horizontal_pod_autoscaler/adapters.h"
#include "controllers/horizontal_pod_autoscaler/replica_calculator.h"
#include "controllers/runtime/manager.h"

namespace kubemu::api {
enum class MetricFamily;
}

namespace kubemu::controllers {

struct MetricContext {
    const api::Json& autoscaler;
    const std::vector<api::Json>& pods;  // all that the target's selector matches
    const std::string& namespace_name;
    const api::LabelSelector& selector;  // of the target
    std::int64_t current = 0, status_replicas = 0;  // of the target
    Time now{};
};

struct MetricOutcome {
    std::string reason{}, outer{};  // of a failure: the condition's reason, and what FailedComputeMetricsReplicas puts in front
    std::string name{};             // what conditions and events call the metric
    std::string error{};            // empty: it could be had
    std::int64_t replicas = 0;
};

class MetricSources {
  public:
    MetricSources(Manager& manager, api::Client& client, MetricAdapters& adapters)
        : manager_(manager), client_(client), adapters_(adapters) {}

    // `metric` is one entry of spec.metrics; `status` becomes its entry of status.currentMetrics when it could be had.
    // While another server's answer is missing (MetricAdapters::missing) the outcome means nothing.
    MetricOutcome ask(const MetricContext& look, const api::Json& metric, api::Json& status);

  private:
    MetricOutcome ask_object(const MetricContext& look, const api::Json& source, api::Json& status);
    MetricOutcome ask_pods(const MetricContext& look, const api::Json& source, api::Json& status);
    MetricOutcome ask_external(const MetricContext& look, const api::Json& source, api::Json& status);
    MetricOutcome ask_resource(const MetricContext& look, const api::Json& source, bool of_container, api::Json& status);
    Result<std::int64_t, std::string> object_value(const MetricContext& look, const api::Json& source);
    Result<std::int64_t, std::string> external_value(const MetricContext& look, const api::Json& source);
    Result<std::int64_t, std::string> scale_by_value(const MetricContext& look, std::int64_t usage, std::int64_t target) const;
    // `usage` becomes what it is for each pod.
    std::int64_t scale_per_pod(const MetricContext& look, std::int64_t& usage, std::int64_t target) const;
    MetricQuestion question_of(const MetricContext& look) const;
    Result<std::int64_t, std::string> object_of_adapter(const MetricContext& look, const api::AggregatedService& server,
                                                        const api::Json& source, const api::KindSpec* kind);
    using PodValues = std::map<std::string, PodMetric>;
    // Of a custom metric of pods, by kubemu's own model or another server.
    Result<PodValues, std::string> pods_values(const MetricContext& look, const api::Json& source);
    // Why nothing answers for these metrics; empty when kubemu does.
    std::string unserved(api::MetricFamily family, const std::string& metric);

    Manager& manager_;
    api::Client& client_;
    MetricAdapters& adapters_;
};

}  // namespace kubemu::controllers
