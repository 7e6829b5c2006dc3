// Metadata inside of custom resources: embedded resources have kind, apiVersion and metadata of their own.
#pragma once

#include "api/schema/structural.h"
#include "api/values/field_errors.h"
#include "api/values/object.h"

namespace kubemu::api::kinds {

// Checks every embedded resource in `value`, and `value` itself when its schema makes it one or it is a `root`
// (k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta/validation.go).
void validate_embedded_resources(const Json& value, const structural::Schema& schema, const FieldPath& path, FieldErrors& errors,
                                 bool root = false);

}  // namespace kubemu::api::kinds
