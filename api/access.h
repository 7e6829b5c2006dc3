// Access: what the request path needs to know who asks and what they may.
#pragma once

#include "api/authentication/token_authenticator.h"
#include "api/authorization/authorizer.h"

namespace kubemu::api {

// References to the parts of one cluster, which outlive it.
struct Access {
    const Authorizer& authorizer;
    const TokenAuthenticator& authenticator;
    ServiceAccountTokens& tokens;
};

}  // namespace kubemu::api
