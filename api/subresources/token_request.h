// serviceaccounts/NAME/token: a token for the account, which may be bound to a Pod, a Secret or a Node
// (k8s.io/kubernetes/pkg/registry/core/serviceaccount/storage/token.go).
#pragma once

#include <string_view>

#include "api/admission/unstored.h"
#include "api/authentication/service_account_tokens.h"
#include "api/registry.h"

namespace kubemu::api {

// The TokenRequest with its token. Errors: 404 for the account or what it is bound to, 409 for another uid, 422 for the
// rest.
ApiResult<Json> request_token(const Registry& registry, ServiceAccountTokens& tokens, std::string_view namespace_name,
                              std::string_view name, Json request, const Judge& judge = {});

}  // namespace kubemu::api
