// What KWOK's Metric objects (kwok.x-k8s.io/v1alpha1) define, served under their paths as KWOK's own server does
// (sigs.k8s.io/kwok/pkg/kwok/server/metrics.go, pkg/kwok/metrics).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "api/kinds/rules.h"
#include "storage/base/clock.h"
#include "storage/base/mutex.h"

namespace kubemu::api {

// Thread-safe.
class KwokMetrics {
  public:
    // In the text format of Prometheus; nothing when no Metric has this path ("/metrics/nodes/NAME/...").
    std::optional<std::string> scrape(const Lookup& lookup, std::string_view path, Time now);

  private:
    friend class KwokMetricAnswers;
    // What has come together since the first reading; `rate` is a second's worth.
    double accumulate(const std::string& key, double rate, Time now);

    struct Sum {
        Time at{};
        double value = 0;
    };
    Mutex mutex_;
    std::map<std::string, Sum> sums_ KUBEMU_GUARDED_BY(mutex_);
};

}  // namespace kubemu::api
