// Impersonation: acting as somebody else, who may be allowed less, by the headers Impersonate-User, -Group, -Uid and
// -Extra-KEY (k8s.io/apiserver/pkg/endpoints/filters/impersonation).
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/authorization/authorizer.h"
#include "api/request.h"
#include "api/values/status.h"

namespace kubemu::api {

// The headers of a request whose lower-case names begin with "impersonate-", in their order.
using ImpersonationHeaders = std::vector<std::pair<std::string, std::string>>;

// Who the request then comes from; nothing when no headers ask for it. Errors: 403 when `user` may not impersonate
// one of the things that are asked for, 400 for a group, uid or extra without a user.
ApiResult<std::optional<User>> impersonate(const Authorizer& authorizer, const User& user, const ImpersonationHeaders& headers);

}  // namespace kubemu::api
