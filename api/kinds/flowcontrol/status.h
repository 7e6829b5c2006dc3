// The status of flow schemas and priority levels.
#pragma once

#include "api/kinds/rules.h"

namespace kubemu::api::kinds {

// A status update changes no metadata.
void keep_flow_control_metadata(Json& object, const Json& old, const HookContext&);
// Each type of condition once, and named.
void validate_flow_control_status(const Json& object, const Json& old, const HookContext&,
                                  FieldErrors& errors);

}  // namespace kubemu::api::kinds
