// Pod specs wherever they stand (pods, templates): defaults that depend on other fields, and validation with the
// wording of kubernetes pkg/apis/core/validation.
#pragma once

#include <string_view>

#include "api/values/field_errors.h"
#include "api/values/object.h"

namespace kubemu::api {

void default_pod_spec(Json& spec);
// `in_template` is true for pod templates: what only makes sense for a pod of its own is not asked there.
void validate_pod_spec(const Json& spec, const FieldPath& path, FieldErrors& errors);
// A template of a controller: labels match the selector, restart policy is Always.
void validate_template(const Json& object, const FieldPath& spec_path, bool plain_selector, FieldErrors& errors);

}  // namespace kubemu::api
