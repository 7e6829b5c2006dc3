// Which requests a policy, its binding or a webhook is for: rules, selectors, and the version that was meant
// (k8s.io/apiserver/pkg/admission/plugin/webhook/predicates, plugin/policy/matching).
#pragma once

#include <optional>

#include "api/admission/chain.h"
#include "api/values/object.h"

namespace kubemu::api {

// One rule of a webhook or a policy, asked about the request as if it had named `kind`. resourceNames count when there
// are any.
bool rule_matches(const Json& rule, const AdmissionRequest& request, const KindSpec& kind);

// The version of the kind that a rule of the list names: that of the request, or, unless `match_policy` is Exact, another
// one of the same objects. Null when none does.
const KindSpec* matching_kind(const Json& rules, std::string_view match_policy, const AdmissionRequest& request);

// Whether the labels of the request's namespace, or of the namespace that it is about, match. Errors: 404 when there is no
// such namespace.
ApiResult<bool> namespace_matches(const Json* selector, const AdmissionRequest& request);
// Whether the object's labels match, before or after the change.
bool object_matches(const Json* selector, const AdmissionRequest& request);

// MatchResources of a policy or a binding: the version to show the request in, or null when it is not for the request.
ApiResult<const KindSpec*> match_resources(const Json& match, const AdmissionRequest& request);

// What decides about admission is not subject to it (plugin/webhook/predicates/rules.IsExemptAdmissionConfigurationResource).
bool is_exempt(const KindSpec& kind);
// Nor do policies judge questions about access and identity, which webhooks do
// (kubernetes pkg/kubeapiserver/admission/exclusion).
bool exempt_from_policies(const KindSpec& kind);

}  // namespace kubemu::api
