// Networks of Services: a ServiceCIDR is ready when the cluster has taken note of it, and stays as long as Services have
// addresses that no other network holds (pkg/controller/servicecidrs).
#pragma once

#include "api/values/ip_address.h"
#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

// Keys are names of ServiceCIDRs.
class ServiceCidrController final : public Controller {
  public:
    explicit ServiceCidrController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    // Calls `visit` with each network and the name of its ServiceCIDR.
    void each_network(const std::function<void(const api::IpNetwork&, const std::string&)>& visit);
    void enqueue_overlapping(const storage::Record& cidr);
    void enqueue_containing(const storage::Record& address);
    bool can_go(const std::string& key, const api::Json& cidr);
    api::ApiResult<Requeue> finish(const std::string& key, const api::Json& cidr);
    api::ApiResult<Requeue> set_ready(const std::string& key, const api::Json& cidr, bool ready);

    api::Informer& cidrs_;
    api::Informer& addresses_;
};

}  // namespace kubemu::controllers
