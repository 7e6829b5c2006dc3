// What webhooks and admission policies say about the requests they are for
// (kubernetes pkg/apis/admissionregistration/validation).
#pragma once

#include "api/cel/admission.h"
#include "api/values/field_errors.h"
#include "api/values/object.h"

namespace kubemu::api::kinds {

// RuleWithOperations: operations, groups, versions, resources and scope.
void validate_admission_rule(const Json& rule, const FieldPath& path, FieldErrors& errors);
// Says why an expression was not compiled; `source` as it is echoed.
void refuse_expression(const cel::AdmissionExpression& compiled, const std::string& source, const FieldPath& path, FieldErrors& errors);
// MatchCondition list; the expressions may name `params` where the policy has some.
void validate_match_conditions(const Json& conditions, bool params, const FieldPath& path, FieldErrors& errors);
// An enum that the versions with a default always have: absent is Required where `required` says so.
void validate_choice(const Json& object, const char* member, bool required,
                     const std::vector<std::string>& supported, const FieldPath& parent, FieldErrors& errors);

}  // namespace kubemu::api::kinds
