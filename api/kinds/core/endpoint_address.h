// The addresses to which traffic may be sent: those of Endpoints, of EndpointSlices and the external ones of Services.
#pragma once

#include <string_view>

#include "api/values/field_errors.h"

namespace kubemu::api::kinds {

// Not unspecified, loopback, link-local or link-local multicast (ValidateNonSpecialIP of kubernetes
// pkg/apis/core/validation).
void validate_endpoint_address(std::string_view ip, const FieldPath& path, FieldErrors& errors);

}  // namespace kubemu::api::kinds
