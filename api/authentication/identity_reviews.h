// Identity reviews: TokenReview and SelfSubjectReview, which are answered instead of stored
// (k8s.io/kubernetes/pkg/registry/authentication).
#pragma once

#include <string_view>

#include "api/admission/unstored.h"
#include "api/authentication/token_authenticator.h"
#include "api/values/object.h"
#include "api/values/status.h"

namespace kubemu::api {

// The review with its status filled in. Errors: 400 for a TokenReview without a token.
ApiResult<Json> answer_identity_review(const TokenAuthenticator& authenticator, const User& user, std::string_view kind,
                                       Time now, Json review, const Judge& judge = {});

}  // namespace kubemu::api
