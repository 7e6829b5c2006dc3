// What must be true of ObjectMeta wherever it stands (k8s.io/apimachinery/pkg/api/validation/objectmeta.go).
#pragma once

#include "api/values/field_errors.h"
#include "api/values/object.h"

namespace kubemu::api {

// Labels, annotations, owner references and finalizers; names are the caller's business.
void validate_object_meta(const Json& metadata, const FieldPath& path, FieldErrors& errors);

// Owners that say what they are; one controller at most.
void validate_owner_references(const Json& metadata, const FieldPath& path, FieldErrors& errors);
// Names of finalizers, whoever they belong to.
void validate_finalizers(const Json& metadata, const FieldPath& path, FieldErrors& errors);

// The metadata of a resource within another one: names are path segments there, and may be missing.
void validate_embedded_metadata(const Json& metadata, const FieldPath& path, FieldErrors& errors);

}  // namespace kubemu::api
