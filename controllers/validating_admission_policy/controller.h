// Tells by status.typeChecking what is suspicious about the expressions of a ValidatingAdmissionPolicy, given the kinds
// that it is about (kubernetes pkg/controller/validatingadmissionpolicystatus).
#pragma once

#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

class ValidatingAdmissionPolicyStatusController final : public Controller {
  public:
    ValidatingAdmissionPolicyStatusController(Manager& manager, const api::KindRegistry& kinds);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    const api::KindRegistry& kinds_;
    api::Informer& policies_;
};

}  // namespace kubemu::controllers
