// Which policies and bindings are in force for a request, and with which parameters
// (k8s.io/apiserver/pkg/admission/plugin/policy/generic).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/admission/chain.h"
#include "api/values/object.h"

namespace kubemu::api {

// Bindings of a policy, in the order of their names.
std::vector<Json> bindings_of(const AdmissionRequest& request, std::string_view binding_resource, std::string_view policy);

// The kind of a policy's parameters; null when it has none. Errors: the sentence of the configuration error.
Result<const KindSpec*, std::string> param_kind_of(const AdmissionRequest& request, const Json& policy);

// The objects that a binding gives a policy as parameters, each to be used in turn; one that is nothing when the policy
// or its binding has none. Errors: the sentence of the configuration error.
Result<std::vector<std::optional<Json>>, std::string> params_of(const AdmissionRequest& request, const KindSpec* kind,
                                                                const Json& binding);

// The Namespace that the request is in; nothing for what is in none, and for Namespaces. Errors: 404.
ApiResult<std::optional<Json>> namespace_of_request(const AdmissionRequest& request);

}  // namespace kubemu::api
