// Privilege escalation: nobody grants what they do not hold, unless they were granted the verbs `escalate` (roles) or
// `bind` (bindings) (k8s.io/kubernetes/pkg/registry/rbac/*/policybased).
#pragma once

#include "api/admission/chain.h"

namespace kubemu::api {

// For creations and updates of roles and bindings, after everything else has changed them. Errors: 403; 404 for a
// binding to a role that does not exist.
ApiResult<bool> refuse_escalation(AdmissionRequest& request);

}  // namespace kubemu::api
