// Simulated metrics: serves custom.metrics.k8s.io and external.metrics.k8s.io for as long as something carries such values
// (api/custom_metrics.h), as a metrics adapter that was installed would: an APIService and its part of discovery.
#pragma once

#include <map>
#include <set>
#include <string>

#include "api/custom_metrics.h"
#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

class SimulatedMetricsController final : public Controller {
  public:
    SimulatedMetricsController(Manager& manager, api::AggregatedServices& services);
    // The key is a family: "custom" or "external".
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

    // The kinds whose objects may carry metrics of their own.
    static constexpr const char* carriers[] = {"pods",          "services",         "namespaces",       "nodes",
                                               "deployments.apps", "statefulsets.apps", "replicasets.apps", "jobs.batch",
                                               "ingresses.networking.k8s.io"};

  private:
    void changed(const std::string& resource, const api::Informer::Change& change);

    api::AggregatedServices& services_;
    api::Informer& api_services_;
    using Carried = std::map<std::string, std::set<std::string>>;  // names in discovery, by resource and key
    std::map<api::MetricFamily, Carried> carried_;
};

}  // namespace kubemu::controllers
