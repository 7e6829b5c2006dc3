// Validation of values against OpenAPI v3 schemas, in the words of k8s.io/kube-openapi/pkg/validation.
#pragma once

#include "api/schema/structural.h"
#include "api/values/field_errors.h"
#include "api/values/object.h"

namespace kubemu::api::structural {

// Checks `value` by all keywords and formats of `schema`; paths begin with `path`. With `old`, complaints about parts
// that are as they were before are left out where both versions of a part can be found (ratcheting: KEP-4008).
void validate_value(const Json& value, const Schema& schema, const FieldPath& path, FieldErrors& errors,
                    const Json* old = nullptr);

// x-kubernetes-list-type set and map: no two items alike, or of the same keys.
void validate_list_types(const Json& value, const Schema& schema, const FieldPath& path, FieldErrors& errors);

// The item of `old` with the same keys as `item`; null when there is none, or the list is no map.
const Json* correlated_item(const Schema& list, const Json& item, const Json* old);
// The member of `old`; null when members cannot be told apart.
const Json* correlated_member(const Schema& map, const std::string& name, const Json* old);

}  // namespace kubemu::api::structural
