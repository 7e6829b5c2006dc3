// Namespace controller: empties a namespace that is being deleted, then lets it go
// (kubernetes pkg/controller/namespace/deletion).
#pragma once

#include <vector>

#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

class NamespaceController final : public Controller {
  public:
    explicit NamespaceController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    void watch(const api::KindSpec& kind);
    api::ApiResult<bool> write_conditions(const std::string& name, const std::string& remaining, const std::string& finalizers);

    api::Informer& namespaces_;
    std::vector<std::pair<const api::KindSpec*, api::Informer*>> contents_;
};

}  // namespace kubemu::controllers
