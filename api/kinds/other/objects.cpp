// Rules of storage classes and access reviews.
#include <nlohmann/json.hpp>

#include "api/kinds/rules.h"
#include "api/values/names.h"

namespace kubemu::api::kinds {
namespace {

// ---------------------------------------------------------------- StorageClass

void storage_class_validate(const Json& object, const HookContext&, FieldErrors& errors) {
    if (string_at(object, {"provisioner"}).empty()) errors.required(FieldPath("provisioner"), "");
}

// ---------------------------------------------------------------- access reviews

// There is no authorization: every request is made as the administrator, who may do everything.
ApiResult<Json> allow(Json review, const HookContext&) {
    review["status"] = {{"allowed", true}, {"reason", "kubemu does not restrict access"}};
    return review;
}

ApiResult<Json> all_rules(Json review, const HookContext&) {
    const Json any = Json::array({"*"});
    review["status"] = {{"resourceRules", Json::array({{{"verbs", any}, {"apiGroups", any}, {"resources", any}}})},
                        {"nonResourceRules", Json::array({{{"verbs", any}, {"nonResourceURLs", any}}})},
                        {"incomplete", false}};
    return review;
}

}  // namespace

#define KUBEMU_RULES(name) extern const KindRules name; const KindRules name
KUBEMU_RULES(storage_class_rules){.validate = storage_class_validate};
KUBEMU_RULES(self_subject_access_review_rules){.answer = allow};
KUBEMU_RULES(subject_access_review_rules){.answer = allow};
KUBEMU_RULES(local_subject_access_review_rules){.answer = allow};
KUBEMU_RULES(self_subject_rules_review_rules){.answer = all_rules};

}  // namespace kubemu::api::kinds
