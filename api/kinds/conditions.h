// metav1.Condition lists, as the status of many kinds has them
// (k8s.io/apimachinery/pkg/apis/meta/v1/validation).
#pragma once

#include "api/values/field_errors.h"
#include "api/values/object.h"

namespace kubemu::api {

void validate_conditions(const Json& conditions, const FieldPath& path, FieldErrors& errors);

}  // namespace kubemu::api
