// Updates that leave every field with its owners: heartbeats, counters, the next step of a status.
//
// Nearly all updates of a cluster at work are of this kind. Then the trie of each owner stays as it is, and is neither
// copied nor taken apart; on a Lease that saves a third of the write.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

#include "api/apply/field_manager.h"

namespace kubemu::api {
namespace {

// The order of encode_owners.
bool before(const Json& a, const Json& b) {
    const auto rank = [](const Json& entry) {
        return std::make_tuple(string_at(entry, {"operation"}) != "Apply", string_at(entry, {"time"}), string_at(entry, {"manager"}),
                               string_at(entry, {"apiVersion"}), string_at(entry, {"subresource"}));
    };
    return rank(a) < rank(b);
}

}  // namespace

bool FieldManager::touch(const Json& live, Json& object, std::optional<Comparison>& change) const {
    const Json* kept = find(live, {"metadata", "managedFields"});
    Json* metadata = find(object, "metadata");
    Json* given = metadata == nullptr ? nullptr : find(*metadata, "managedFields");
    if (kept == nullptr || given == nullptr || !kept->is_array() || kept->empty() || *kept != *given) return false;
    const std::string manager = named(options_.manager);
    std::size_t mine = kept->size();
    for (std::size_t i = 0; i < kept->size(); ++i) {
        const Json& entry = (*kept)[i];
        const Json* fields = find(entry, "fieldsV1");
        if (fields == nullptr || !fields->is_object() || string_at(entry, {"apiVersion"}) != options_.api_version ||
            !is_settled_with_schema(*fields, options_.type)) {
            return false;
        }
        if (string_at(entry, {"manager"}) == manager && string_at(entry, {"operation"}) == "Update" &&
            string_at(entry, {"subresource"}) == options_.subresource) {
            mine = i;
        }
    }
    change = changed(live, object, false);
    const FieldSet values = change->modified.subtract(server_owned());
    bool stays = change->keyed && change->added.empty() && change->removed.empty();
    for (std::size_t i = 0; stays && i < given->size(); ++i) {
        const Json& fields = (*given)[i].at("fieldsV1");
        if (i == mine) stays = FieldSet::tree_covers(fields, values.tree());
        else stays = !FieldSet::trees_meet(fields, change->modified.tree());
    }
    if (!stays || (mine == given->size() && !values.empty())) return false;
    if (!values.empty()) {
        (*given)[mine]["time"] = options_.now;
        std::sort(given->begin(), given->end(), before);
    }
    return true;
}

}  // namespace kubemu::api
