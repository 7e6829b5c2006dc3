// What slices, claims and their status say about single devices (kubernetes pkg/apis/resource/validation).
#pragma once

#include <string>
#include <string_view>

#include "api/values/field_errors.h"
#include "api/values/object.h"

namespace kubemu::api::kinds {

// "id" or "domain/id", the id being an identifier of C. `fully`: with a domain.
void validate_device_property_name(std::string_view name, bool fully, const FieldPath& path, FieldErrors& errors);
void validate_device_taints(const Json& device, const FieldPath& path, FieldErrors& errors);
void validate_device_tolerations(const Json& wish, const FieldPath& path, FieldErrors& errors);
// bindingConditions and bindingFailureConditions: neither without the other, and nothing twice.
void validate_binding_conditions(const Json& device, const FieldPath& path, FieldErrors& errors);
// An amount that can be shared out: what may be asked for of it.
void validate_request_policy(const Json& amount, const FieldPath& path, FieldErrors& errors);
// A UUID in lower case.
void validate_share_id(const Json& device, const FieldPath& path, FieldErrors& errors);
// Opaque JSON: an object of at most `bytes_max`.
void validate_opaque(const Json* data, std::size_t bytes_max, const FieldPath& path, FieldErrors& errors);

}  // namespace kubemu::api::kinds
