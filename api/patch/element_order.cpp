// strategicpatch: normalizeElementOrder, mergeSortedSlice, validatePatchWithSetOrderList.
#include "api/patch/element_order.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "api/patch/go_text.h"

namespace kubemu::api {
namespace {

Status without_key(const Json& item, const std::string& key) {
    if (!item.is_object()) {
        return Status::plain_500("expected a map[string]interface {}, but received a " + go_type_text(item));
    }
    return Status::plain_500("map: " + go_text(item) + " does not contain declared merge key: " + key);
}

// Where `item` stands in `list`; -1 for nowhere.
std::ptrdiff_t place_of(const Json& list, const Json& item, const ItemIdentity& identity) {
    const Json* wanted = identity.of(item);
    if (wanted == nullptr) return -1;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const Json* have = identity.of(list[i]);
        if (have != nullptr && *have == *wanted) return static_cast<std::ptrdiff_t>(i);
    }
    return -1;
}

struct Placed {
    const Json* item;
    std::ptrdiff_t rank;    // in the order that its kind of item follows
    std::ptrdiff_t before;  // in the server's list
};

}  // namespace

const Json* ItemIdentity::of(const Json& item) const {
    if (merge_key.empty()) return &item;
    if (!item.is_object()) return nullptr;
    const auto found = item.find(merge_key);
    return found == item.end() ? nullptr : &*found;
}

ApiResult<Json> in_order(const Json& list, const Json& wanted, const Json& before, const ItemIdentity& identity) {
    std::vector<Placed> named, others;
    for (const Json& item : list) {
        if (identity.of(item) == nullptr) return without_key(item, identity.merge_key);
        const std::ptrdiff_t rank = place_of(wanted, item, identity), place = place_of(before, item, identity);
        if (rank >= 0) named.push_back({&item, rank, place});
        else others.push_back({&item, place, place});
    }
    for (const Json& item : wanted) {
        if (identity.of(item) == nullptr) return without_key(item, identity.merge_key);
    }
    const auto earlier = [](const Placed& a, const Placed& b) { return a.rank < b.rank; };
    std::stable_sort(named.begin(), named.end(), earlier);
    std::stable_sort(others.begin(), others.end(), earlier);
    Json merged = Json::array();
    std::size_t n = 0, o = 0;
    while (n < named.size() || o < others.size()) {
        const bool both = n < named.size() && o < others.size();
        const bool other_first = both && others[o].before >= 0 && named[n].before >= 0 && others[o].before < named[n].before;
        if (n >= named.size() || other_first) merged.push_back(*others[o++].item);
        else merged.push_back(*named[n++].item);
    }
    return merged;
}

ApiResult<bool> check_order(const Json& patch, const Json& order, const ItemIdentity& identity) {
    if (!patch.is_array() || patch.empty() || order.empty()) return true;
    std::size_t at = 0, next = 0;
    while (at < patch.size() && next < order.size()) {
        const Json& item = patch[at];
        if (!identity.merge_key.empty() && item.is_object() && item.contains("$patch")) {
            ++at;
            continue;
        }
        for (const Json* one : {&item, &order[next]}) {
            if (identity.of(*one) == nullptr) return without_key(*one, identity.merge_key);
        }
        if (*identity.of(item) == *identity.of(order[next])) ++at;
        ++next;
    }
    const auto deletes = [](const Json& item) { return item.is_object() && item.value("$patch", Json()) == "delete"; };
    while (at < patch.size() && deletes(patch[at])) ++at;
    if (at < patch.size()) {
        return Status::plain_500("The order in patch list:\n" + go_text(patch) + "\n doesn't match $setElementOrder list:\n" +
                                 go_text(order) + "\n");
    }
    return true;
}

}  // namespace kubemu::api
