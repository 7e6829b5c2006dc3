// CustomResourceDefinitions come to life: their names are accepted unless another one has them, their kinds are served,
// and when they go their instances go first (k8s.io/apiextensions-apiserver/pkg/controller/{status,establish,finalizer,
// nonstructuralschema,apiapproval}).
#pragma once

#include <string>

#include "controllers/apiextensions/installer.h"
#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

// Keys are names of definitions.
class CustomResourceDefinitionController final : public Controller {
  public:
    // `installer` has installed what was stored at the start.
    CustomResourceDefinitionController(Manager& manager, api::KindRegistry& kinds, DefinitionInstaller& installer);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    // Writes the outcome of the names, and of the other conditions, to `definition` and to the store when they changed.
    api::ApiResult<bool> settle_names(api::Json& definition);
    api::ApiResult<bool> establish(api::Json& definition);
    api::ApiResult<bool> note_condition(api::Json& definition);
    api::ApiResult<Requeue> clean_up(const api::Json& definition);
    void serve(const api::Json& definition, storage::Revision revision);
    void stop_serving(const std::string& name);
    void enqueue_others(const std::string& name, std::string_view group);
    api::ApiResult<bool> write_status(api::Json& definition);

    api::KindRegistry& kinds_;
    DefinitionInstaller& installer_;
    api::Informer& definitions_;
};

}  // namespace kubemu::controllers
