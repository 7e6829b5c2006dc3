// What claims, their templates and device classes say about devices (kubernetes
// pkg/apis/resource/validation). CEL expressions are checked to be there and not too long, not compiled.
#pragma once

#include "api/values/field_errors.h"
#include "api/values/object.h"

namespace kubemu::api::kinds {

void default_device_claim(Json& spec);
void validate_device_claim(const Json& claim, const FieldPath& path, FieldErrors& errors);
// Selectors of a class or a request.
void validate_device_selectors(const Json& selectors, const FieldPath& path, FieldErrors& errors);
void validate_device_configuration(const Json& configuration, const FieldPath& path, FieldErrors& errors);
// Required, at most 63 bytes, labels joined by dots.
void validate_resource_driver_name(std::string_view name, const FieldPath& path, FieldErrors& errors);
void validate_pool_name(std::string_view name, const FieldPath& path, FieldErrors& errors);
// A new status.allocation of a claim whose spec.devices is `claim`.
void validate_allocation(const Json& allocation, const Json& claim, const FieldPath& path, FieldErrors& errors);
// resource.ResourceClaimSpec under %#v.
GoText go_claim_spec(const Json& spec);

}  // namespace kubemu::api::kinds
