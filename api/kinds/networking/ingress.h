// What both versions of Ingress and its class share.
#pragma once

#include "api/kinds/rules.h"

namespace kubemu::api::kinds {

void validate_ingress(const Json& ingress, const HookContext&, FieldErrors& errors);
void validate_ingress_create(const Json& ingress, const HookContext&, FieldErrors& errors);
// core.TypedLocalObjectReference
void validate_typed_reference(const Json& reference, const FieldPath& path, FieldErrors& errors);
void warn_of_ingress(const Json& ingress, const Json* old, const HookContext&,
                     std::vector<std::string>& warnings);

}  // namespace kubemu::api::kinds
