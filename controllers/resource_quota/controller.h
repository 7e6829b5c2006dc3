// Resource quota: status.hard and status.used of each ResourceQuota (pkg/controller/resourcequota).
//
// Admission charges a quota when an object is made; what is deleted, ends or shrinks is given back here, at once.
#pragma once

#include <list>
#include <string>

#include "api/admission/quota_usage.h"
#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

class ResourceQuotaController final : public Controller {
  public:
    explicit ResourceQuotaController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    struct Counted {
        const api::KindSpec* kind;
        api::Informer* informer;
        // Does it take part in what the quota limits?
        bool concerns(const api::Json& hard) const;
    };
    void watch(const api::KindSpec& kind);
    // A custom kind came, changed or went: what it counts for is counted again.
    void kind_changed(const std::string& resource, const api::KindSpec* kind);
    void changed(const api::Informer::Change& change);
    api::QuotaUsage usage_in(const std::string& namespace_name, const api::Json& quota);
    bool caches_lag(const storage::Record& quota) const;

    api::Informer& quotas_;
    std::list<Counted> counted_;
};

}  // namespace kubemu::controllers
