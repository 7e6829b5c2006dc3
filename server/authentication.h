// Authentication: from credentials to a user (k8s.io/kubernetes/pkg/kubeapiserver/authenticator): a client
// certificate, else a bearer token, else what becomes of those who show nothing.
#pragma once

#include <optional>

#include "api/authentication/token_authenticator.h"
#include "api/request.h"
#include "api/values/status.h"
#include "server/filters.h"

namespace kubemu::server {

// `user` is the administrator already, which is what it stays for a trusted sender without credentials; see
// Filters::Options for `anonymous`. Errors: 401 for a token that is not good, or for none where one is needed.
api::ApiResult<bool> authenticate(const api::TokenAuthenticator& tokens, std::optional<bool> anonymous,
                                  const Credentials& credentials, api::User& user);

}  // namespace kubemu::server
