// One check for each generation of a policy.
#include "controllers/validating_admission_policy/controller.h"

#include <nlohmann/json.hpp>

#include "api/admission/type_checking.h"

namespace kubemu::controllers {
namespace {

constexpr std::string_view policies = "validatingadmissionpolicies.admissionregistration.k8s.io";

}  // namespace

ValidatingAdmissionPolicyStatusController::ValidatingAdmissionPolicyStatusController(Manager& manager, const api::KindRegistry& kinds)
    : Controller(manager, "validatingadmissionpolicy-status", "validatingadmissionpolicy-status-controller"),
      kinds_(kinds),
      policies_(manager.informer(policies)) {
    has_workers(5);
    enqueue_on_change(policies_);
}

api::ApiResult<Requeue> ValidatingAdmissionPolicyStatusController::reconcile(const std::string& key) {
    const auto record = policies_.get("", key);
    if (!record || api::view_of(*record).deleting) return Requeue{};
    const auto written = client().modify(kind(policies), "", key, "status", [&](api::Json& policy) {
        const std::int64_t generation = api::int_at(policy, {"metadata", "generation"});
        if (generation <= api::int_at(policy, {"status", "observedGeneration"})) return false;
        policy["status"]["observedGeneration"] = generation;
        policy["status"]["typeChecking"] = {{"expressionWarnings", api::expression_warnings(kinds_, policy)}};
        return true;
    });
    if (!written && written.error().code() != 404) return written.error();
    return Requeue{};
}

}  // namespace kubemu::controllers
