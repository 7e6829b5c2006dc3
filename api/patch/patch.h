// The three patch types that are pure functions of a document. Behaviour: RFC 6902, RFC 7386 and
// k8s.io/apimachinery/pkg/util/strategicpatch.
#pragma once

#include "api/schema/type.h"
#include "api/values/object.h"
#include "api/values/status.h"

namespace kubemu::api {

// Operations in order, all or nothing. Errors: 422 for operations that do not apply, 400 for what is no patch.
ApiResult<bool> apply_json_patch(Json& document, const Json& patch);
// null removes, objects merge, everything else replaces.
void apply_merge_patch(Json& document, const Json& patch);
// Lists merge by the merge keys of the type table; $patch, $retainKeys, $setElementOrder and
// $deleteFromPrimitiveList are followed.
ApiResult<bool> apply_strategic_merge_patch(Json& document, const Json& patch, const TypeInfo& type);

}  // namespace kubemu::api
