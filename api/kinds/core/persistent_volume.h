// The checks of a PersistentVolume's spec, which a VolumeAttachment may hold too.
#pragma once

#include <string_view>

#include "api/values/field_errors.h"

namespace kubemu::api::kinds {

// kubernetes pkg/apis/core/validation, ValidatePersistentVolumeSpec. `inline_spec`: it stands in a VolumeAttachment, so
// there is no claim, no capacity, and CSI alone.
void validate_volume_spec(const Json& spec, std::string_view name, bool inline_spec, const FieldPath& path,
                          FieldErrors& errors);
// That there is exactly one source, and what is in it.
void validate_volume_sources(const Json& spec, std::string_view name, const FieldPath& path, FieldErrors& errors);
// Modes that are known, and ReadWriteOncePod alone.
void validate_access_modes(const Json& spec, const FieldPath& path, FieldErrors& errors);
// A CSI driver's name: a DNS subdomain of at most 63 characters, letters of both cases.
void validate_csi_driver_name(std::string_view name, const FieldPath& path, FieldErrors& errors);
// The members of a PersistentVolume's spec of which one must be there, in the order of the checks.
bool is_volume_source(std::string_view member);

}  // namespace kubemu::api::kinds
