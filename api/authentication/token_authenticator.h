// TokenAuthenticator: from a bearer token to its user, whatever kind of token it is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/authentication/service_account_tokens.h"
#include "api/authentication/token_file.h"
#include "storage/base/result.h"

namespace kubemu::api {

// Thread-safe.
class TokenAuthenticator {
  public:
    TokenAuthenticator(TokenFile file, ServiceAccountTokens& accounts) : file_(std::move(file)), accounts_(accounts) {}

    // `audiences` as in ServiceAccountTokens::check. The user is in system:authenticated. The error is what a
    // TokenReview says of it: "invalid bearer token".
    Result<Authenticated, std::string> authenticate(std::string_view token, const std::vector<std::string>& audiences) const;

  private:
    TokenFile file_;
    ServiceAccountTokens& accounts_;
};

}  // namespace kubemu::api
