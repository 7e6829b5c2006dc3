// StatefulSet: pods with an ordinal, a name and storage of their own, made and replaced one after the other
// (pkg/controller/statefulset).
#pragma once

#include <string>
#include <vector>

#include "controllers/runtime/controller.h"
#include "controllers/runtime/controller_revisions.h"
#include "controllers/runtime/owner_refs.h"

namespace kubemu::controllers {

class StatefulSetController final : public Controller {
  public:
    explicit StatefulSetController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    void pod_changed(const api::Informer::Change& change);

    api::Informer& sets_;
    api::Informer& pods_;
    api::Informer& revisions_;
    api::Informer& claims_;
    SelectorCache selectors_;
    RevisionHistory history_;
};

}  // namespace kubemu::controllers
