// Admission of requests that store nothing: reviews, requests for tokens, and connections to pods and Services.
#pragma once

#include <functional>

#include "api/admission/chain.h"
#include "api/exchange.h"

namespace kubemu::api {

// The request as admission sees it. `object` is its body, or the options of a connection; it and the exchange outlive
// the result.
AdmissionRequest unstored_request(const Exchange& exchange, AdmissionRequest::Operation operation, Json& object);

// Policies and webhooks for CONNECT: they may refuse the connection, and change its options.
ApiResult<bool> admit_connection(const Exchange& exchange, Json& options);

// What judges an object that is answered instead of stored, when its own rules have found nothing wrong with it
// (k8s.io/apiserver/pkg/registry/rest.ValidateObjectFunc); it may be empty.
using Judge = std::function<ApiResult<bool>(const Json& object)>;

}  // namespace kubemu::api
