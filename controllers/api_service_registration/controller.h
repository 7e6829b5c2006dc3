// An APIService for each group version that custom resource definitions serve, gone when the last of them
// goes (kubernetes pkg/controlplane/controller/crdregistration and k8s.io/kube-aggregator's autoregister).
// The API server does this itself, so --controllers has no say in it.
#pragma once

#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

// Keys are names of APIServices: "v1.example.com".
class ApiServiceRegistrationController final : public Controller {
  public:
    explicit ApiServiceRegistrationController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    void enqueue_versions(const storage::Record& definition);
    bool served(std::string_view group, std::string_view version);

    api::Informer& definitions_;
    api::Informer& services_;
};

}  // namespace kubemu::controllers
