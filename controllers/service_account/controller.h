// Seeds of every namespace: the ServiceAccount "default" and the ConfigMap "kube-root-ca.crt", made again when deleted or
// altered (kubernetes pkg/controller/serviceaccount and certificates/rootcacertpublisher).
#pragma once

#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

class ServiceAccountController final : public Controller {
  public:
    explicit ServiceAccountController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    api::Informer& namespaces_;
    api::Informer& accounts_;
};

class RootCertificateController final : public Controller {
  public:
    // `certificate` is PEM text.
    RootCertificateController(Manager& manager, std::string certificate);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    api::Informer& namespaces_;
    api::Informer& config_maps_;
    std::string certificate_;
};

}  // namespace kubemu::controllers
