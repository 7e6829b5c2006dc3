// Who may write what of a ResourceClaim's status: allocation and reservations are for those who bind claims, the status of
// devices for their drivers (KEP 4817; k8s.io/kubernetes/pkg/registry/resource/utils.go). From 1.36 on.
#pragma once

#include "api/admission/chain.h"

namespace kubemu::api {

// For updates of resourceclaims/status. Errors: 422 with a Forbidden cause at status.allocation and status.devices.
ApiResult<bool> refuse_claim_status(AdmissionRequest& request);

}  // namespace kubemu::api
