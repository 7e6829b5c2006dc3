// Addresses from outside: what a cloud's load balancers and an ingress controller would put into the status of a
// Service of type LoadBalancer and of an Ingress, so that whoever waits for an address gets one.
//
// An object with the annotation kubemu.io/load-balancer: "off" is left alone, and so are addresses that somebody else
// has written. Nothing listens on the addresses, which are of the documentation ranges (RFC 5737).
#pragma once

#include <set>
#include <string>
#include <unordered_map>

#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

// k8s.io/cloud-provider/controllers/service
class ServiceLoadBalancerController final : public Controller {
  public:
    explicit ServiceLoadBalancerController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    std::string free_address() const;

    api::Informer& services_;
    std::unordered_map<std::string, std::string> given_;  // addresses by service key
};

class IngressAddressController final : public Controller {
  public:
    explicit IngressAddressController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    api::Informer& ingresses_;
};

}  // namespace kubemu::controllers
