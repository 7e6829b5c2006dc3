// The three patch types that are pure functions of a document. Behaviour: RFC 6902 and RFC 7386 as
// github.com/evanphx/json-patch carries them out, and k8s.io/apimachinery/pkg/util/strategicpatch.
#pragma once

#include <string>
#include <vector>

#include "api/schema/type.h"
#include "api/values/object.h"
#include "api/values/status.h"

namespace kubemu::api {

// Operations in order, all or nothing. Errors: 422 for operations that do not apply, 413 for too many of them.
ApiResult<bool> apply_json_patch(Json& document, const Json& patch);
// What is wrong with a body that should be a list of operations: json's words; empty when nothing is. Members that no
// operation has are added to `complaints` as `unknown field "[0].x"`.
std::string check_json_patch(const Json& patch, std::vector<std::string>& complaints);

// null removes, objects merge, everything else replaces.
void apply_merge_patch(Json& document, const Json& patch);

// Lists merge by the merge keys of the type table; $patch, $retainKeys, $setElementOrder and $deleteFromPrimitiveList
// are followed. `patch` loses the directives that were carried out: what messages then show of it. Errors: 400 for a
// malformed directive, 422 for lists of lists, 500 for the rest; `document` may then be changed in part.
ApiResult<bool> apply_strategic_merge_patch(Json& document, Json& patch, const TypeInfo& type);

// A step of a JSON pointer as it stands between slashes: ~1 is a slash, ~0 a tilde.
std::string unescape_pointer(std::string_view token);

}  // namespace kubemu::api
