// What StorageClasses and VolumeAttributesClasses have in common: a driver's name and parameters for it.
#pragma once

#include <string_view>

#include "api/values/field_errors.h"

namespace kubemu::api::kinds {

// A qualified name, letters of both cases (kubernetes pkg/apis/storage/validation).
void validate_provisioner(std::string_view name, const FieldPath& path, FieldErrors& errors);
// At most 512 parameters and 256 KiB; at least one unless `may_be_empty`.
void validate_parameters(const Json& parameters, bool may_be_empty, const FieldPath& path, FieldErrors& errors);

}  // namespace kubemu::api::kinds
