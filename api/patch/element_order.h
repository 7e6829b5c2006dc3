// The order of lists that a strategic merge patch has merged.
#pragma once

#include <string>

#include "api/values/object.h"
#include "api/values/status.h"

namespace kubemu::api {

// What tells a list's items from each other: a merge key, or the whole item when there is none.
struct ItemIdentity {
    std::string merge_key;

    // Null when an object lacks the key.
    const Json* of(const Json& item) const;
};

// `list` with the items that `wanted` names in its order, and the others between them where `before` had them: an item
// of the server's goes before the first named one that it preceded (strategicpatch's normalizeElementOrder). Errors: 500
// for an item without the merge key.
ApiResult<Json> in_order(const Json& list, const Json& wanted, const Json& before, const ItemIdentity& identity);

// 500 unless the items of `patch`, deletions aside, stand in `order` in the same sequence.
ApiResult<bool> check_order(const Json& patch, const Json& order, const ItemIdentity& identity);

}  // namespace kubemu::api
