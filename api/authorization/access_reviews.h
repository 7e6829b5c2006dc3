// Access reviews: SubjectAccessReview, LocalSubjectAccessReview, SelfSubjectAccessReview and SelfSubjectRulesReview,
// which are answered instead of stored (k8s.io/kubernetes/pkg/registry/authorization).
#pragma once

#include <string_view>

#include "api/admission/unstored.h"
#include "api/authorization/authorizer.h"
#include "api/values/object.h"

namespace kubemu::api {

// The review with its status filled in. `namespace_name` is that of the URL. Errors: 422, and 400 for a
// SelfSubjectRulesReview without a namespace.
ApiResult<Json> answer_access_review(const Authorizer& authorizer, const User& user, std::string_view kind,
                                     std::string_view namespace_name, Json review, const Judge& judge = {});

}  // namespace kubemu::api
