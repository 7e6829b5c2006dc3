// What the expressions of a MutatingAdmissionPolicy give, laid over an object
// (k8s.io/apiserver/pkg/admission/plugin/policy/mutating/patch).
#pragma once

#include <string>
#include <string_view>

#include "api/cel/value.h"
#include "api/schema/kind.h"
#include "api/values/object.h"

namespace kubemu::api {

// Each changes `object` and returns what is wrong; empty when nothing is.

// An Object{...} merged into the object as server-side apply does, nobody owning what it sets.
std::string apply_configuration(const cel::Value& value, const KindSpec& kind, std::string_view subresource, Json& object);
// A list of JSONPatch{...}. An operation `test` that fails leaves the object as it was.
std::string apply_operations(const cel::Value& value, Json& object);

}  // namespace kubemu::api
