// The checks of an update, in the order in which the real server makes them: clients read its complaints from first to last.
//
// k8s.io/apiserver/pkg/registry/rest.BeforeUpdate, then ValidateUpdate of the kind's strategy (k8s.io/kubernetes pkg/registry)
// with the functions Validate...Update of pkg/apis/*/validation.
#pragma once

#include "api/kinds/rules.h"
#include "api/schema/kind.h"
#include "api/values/field_errors.h"
#include "api/values/object.h"

namespace kubemu::api {

// Adds what is wrong with `object`, which is to replace `old` through hook.subresource ("" for the object itself).
void check_update(const KindSpec& kind, const Json& object, const Json& old, const HookContext& hook, FieldErrors& errors);

}  // namespace kubemu::api
