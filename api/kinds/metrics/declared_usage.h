// DeclaredUsage: what KWOK's ResourceUsage and ClusterResourceUsage objects (kwok.x-k8s.io/v1alpha1) say that containers
// use (sigs.k8s.io/kwok/pkg/kwok/server/metrics_resource_usage.go).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/cel/kwok.h"
#include "api/kinds/rules.h"
#include "api/values/object.h"
#include "storage/base/clock.h"

namespace kubemu::api {

class ServedLoad;

// For one answer: what it has read of the cluster is kept.
class DeclaredUsage {
  public:
    explicit DeclaredUsage(const Lookup& lookup);
    ~DeclaredUsage();
    // In cores or bytes. Nothing when no object speaks of the container; 0 when one does and leaves the resource out.
    std::optional<double> of(const Json& pod, const Json& container, std::string_view resource, Time now) const;
    // What the cluster's containers spend on requests; null: nothing.
    const ServedLoad* load() const { return load_.get(); }

  private:
    // The entry of spec.usages that is for the container; null when there is none.
    const Json* usage_for(const Json& pod, std::string_view container) const;
    double evaluate(const std::string& expression, const Json& pod, const Json& container, Time now) const;

    const Lookup& lookup_;
    std::shared_ptr<const ServedLoad> load_;
    std::vector<Json> of_cluster_;
    bool any_of_pods_ = false;
    mutable std::map<std::string, Json> of_pods_, nodes_;  // by key and by name, as they were needed; null: there is none
    mutable std::map<std::string, std::shared_ptr<const cel::Expression>> expressions_;
};

// Metadata as Go has it, whose labels and annotations are empty rather than absent.
Json with_metadata(const Json& object);

}  // namespace kubemu::api
