// Type checking of ValidatingAdmissionPolicies: their expressions against the types of the kinds that they are about
// (k8s.io/apiserver/pkg/admission/plugin/policy/validating/typechecking.go).
#pragma once

#include "api/kind_registry.h"
#include "api/values/object.h"

namespace kubemu::api {

// The ExpressionWarnings of a policy, as a list; rules with wildcards name no kinds.
Json expression_warnings(const KindRegistry& kinds, const Json& policy);

}  // namespace kubemu::api
