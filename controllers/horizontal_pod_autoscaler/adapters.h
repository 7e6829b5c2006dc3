// MetricAdapters: metrics that API servers of the user's own have (an APIService with a Service, such as
// metrics-server's or prometheus-adapter's), asked for as kube-controller-manager's clients do
// (k8s.io/metrics/pkg/client/custom_metrics and external_metrics, pkg/controller/podautoscaler/metrics/client.go).
//
// A look at an autoscaler does not wait: what is not known yet ends it, and when all answers are there it begins again.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/aggregation.h"
#include "api/remote_calls.h"
#include "api/values/object.h"
#include "controllers/horizontal_pod_autoscaler/replica_calculator.h"
#include "controllers/runtime/manager.h"

namespace kubemu::controllers {

class MetricAdapters {
  public:
    // Without the two there are no other servers. `wake` brings an autoscaler's key back to the queue.
    MetricAdapters(Manager& manager, const api::AggregatedServices* services, api::RemoteCaller* remote,
                   std::function<void(const std::string&)> wake)
        : manager_(manager), services_(services), remote_(remote), wake_(std::move(wake)) {}

    // A look begins; false when answers for the one before are still on their way.
    bool begin(const std::string& key);
    // It ends; true when it has to be taken again, since an answer was missing.
    bool wait(const std::string& key);
    void forget(const std::string& key) { rounds_.erase(key); }
    // Whether it came upon an answer that is not there yet.
    bool missing() const { return current_ != nullptr && current_->calls.waiting(); }

    // The server that the user registered for a group: of the version that is preferred among those that autoscalers
    // understand. Null when there is none.
    api::AggregatedServicePtr adapter(std::string_view group) const;

    // All of these: nothing while the answer is missing, else the values or why there are none.
    template <class T>
    using Answer = std::optional<Result<T, std::string>>;
    using PodValues = std::map<std::string, PodMetric>;
    Answer<PodValues> resource_metric(const api::AggregatedService& server, const std::string& namespace_name,
                                      const std::string& selector, std::string_view resource, std::string_view container);
    Answer<PodValues> pods_metric(const api::AggregatedService& server, const std::string& namespace_name,
                                  const std::string& selector, const std::string& metric, const std::string& series);
    // `resource` is that of the object with its group ("deployments.apps"); "namespaces" is the namespace itself.
    Answer<std::int64_t> object_metric(const api::AggregatedService& server, const std::string& namespace_name,
                                       const std::string& resource, const std::string& name, const std::string& metric,
                                       const std::string& series);
    Answer<std::int64_t> external_metric(const api::AggregatedService& server, const std::string& namespace_name,
                                         const std::string& metric, const std::string& series);

  private:
    struct Round {
        api::RemoteCalls calls;
        bool on_its_way = false;
    };
    // The list at `path`; `resource` and `name` are what client-go says was asked for when that failed.
    Answer<std::shared_ptr<const api::Json>> list(const api::AggregatedService& server, const std::string& path,
                                                  const std::string& resource, const std::string& name);

    Manager& manager_;
    const api::AggregatedServices* services_;
    api::RemoteCaller* remote_;
    std::function<void(const std::string&)> wake_;
    std::map<std::string, std::shared_ptr<Round>> rounds_;  // by autoscaler
    std::shared_ptr<Round> current_;
};

}  // namespace kubemu::controllers
