// Addresses of Services and the IPAddress objects that record them: each Service has its record, and a record that no
// Service stands behind goes (pkg/registry/core/service/ipallocator/controller/repairip.go, a part of kube-apiserver,
// which looks every three minutes; here a change is looked at when it happens).
#pragma once

#include "controllers/runtime/controller.h"
#include "controllers/runtime/series_recorder.h"

namespace kubemu::controllers {

// Keys are "namespace/name" of Services and names of IPAddresses.
class IpAddressRepairController final : public Controller {
  public:
    explicit IpAddressRepairController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    api::ApiResult<Requeue> check_service(const storage::Record& service);
    api::ApiResult<bool> check_cluster_ip(const api::Json& service, const std::string& ip);
    api::ApiResult<Requeue> check_address(const storage::Record& address);
    api::ApiResult<bool> record_again(const api::Json& service, const std::string& ip, bool exists);
    api::ApiResult<bool> remove(const std::string& address);
    bool out_of_range(const std::string& ip);

    api::Informer& services_;
    api::Informer& cidrs_;
    api::Informer& addresses_;
    SeriesRecorder recorder_;
};

}  // namespace kubemu::controllers
