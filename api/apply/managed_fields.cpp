// Decodes, encodes, orders and limits the entries of metadata.managedFields.
#include "api/apply/managed_fields.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "api/values/text.h"

namespace kubemu::api {
namespace {

constexpr std::size_t updaters_max = 10;
constexpr std::string_view old_updates = "ancient-changes";

const Json* managed_fields_of(const Json& object) {
    return find(object, {"metadata", "managedFields"});
}

// Nothing but defaults: what a client sends to give up all ownership.
bool gives_up(const Json& managed_fields) {
    if (!managed_fields.is_array()) return false;
    if (managed_fields.empty()) return true;
    if (managed_fields.size() != 1 || !managed_fields[0].is_object()) return false;
    return std::all_of(managed_fields[0].begin(), managed_fields[0].end(), [](const Json& value) {
        return value.is_null() || (value.is_string() && value.get_ref<const std::string&>().empty());
    });
}

// Whether entries are the same, times aside.
bool same_but_times(const Json& a, const Json& b) {
    if (!a.is_array() || !b.is_array() || a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        for (const char* member :
             {"manager", "operation", "apiVersion", "subresource", "fieldsType", "fieldsV1"}) {
            const Json* left = find(a[i], member);
            const Json* right = find(b[i], member);
            if ((left == nullptr) != (right == nullptr) || (left != nullptr && *left != *right)) return false;
        }
    }
    return true;
}

}  // namespace

bool FieldOwner::is(const FieldOwner& other) const {
    return manager == other.manager && applies == other.applies && subresource == other.subresource &&
           (applies || api_version == other.api_version);
}

std::string FieldOwner::readable() const {
    std::string text = go_quote(manager);
    if (!subresource.empty()) text += " with subresource " + go_quote(subresource);
    if (!applies) text += " using " + api_version;
    return text;
}

namespace {

// Objects in objects: every step leads to one.
bool is_trie(const Json& node) {
    return node.is_object() && std::all_of(node.begin(), node.end(), is_trie);
}

}  // namespace

std::optional<FieldOwners> decode_owners(Json managed_fields) {
    FieldOwners owners;
    if (managed_fields.is_null()) return owners;
    if (!managed_fields.is_array()) return std::nullopt;
    for (Json& entry : managed_fields) {
        const std::string_view operation = string_at(entry, {"operation"});
        if (operation != "Apply" && operation != "Update") return std::nullopt;
        if (string_at(entry, {"apiVersion"}).empty() || string_at(entry, {"fieldsType"}) != "FieldsV1")
            return std::nullopt;
        FieldOwner owner;
        owner.manager = string_at(entry, {"manager"});
        owner.applies = operation == "Apply";
        owner.api_version = string_at(entry, {"apiVersion"});
        owner.subresource = string_at(entry, {"subresource"});
        owner.time = string_at(entry, {"time"});
        if (Json* fields = find(entry, "fieldsV1")) {
            if (!is_trie(*fields)) return std::nullopt;
            owner.fields = FieldSet(std::move(*fields));
        }
        owners.push_back(std::move(owner));
    }
    return owners;
}

void encode_owners(FieldOwners owners, Json& object) {
    Json& metadata = ensure(object, {"metadata"});
    if (owners.empty()) {
        erase(metadata, "managedFields");
        return;
    }
    // Times are RFC 3339 in UTC with whole seconds, so that their order is that of their text.
    std::sort(owners.begin(), owners.end(), [](const FieldOwner& a, const FieldOwner& b) {
        return std::tie(b.applies, a.time, a.manager, a.api_version, a.subresource) <
               std::tie(a.applies, b.time, b.manager, b.api_version, b.subresource);
    });
    Json entries = Json::array();
    for (FieldOwner& owner : owners) {
        Json::object_t entry;
        entry.emplace("manager", std::move(owner.manager));
        entry.emplace("operation", owner.applies ? "Apply" : "Update");
        entry.emplace("apiVersion", std::move(owner.api_version));
        entry.emplace("fieldsType", "FieldsV1");
        entry.emplace("fieldsV1", std::move(owner.fields).release());
        if (!owner.time.empty()) entry.emplace("time", std::move(owner.time));
        if (!owner.subresource.empty()) entry.emplace("subresource", std::move(owner.subresource));
        entries.push_back(std::move(entry));
    }
    metadata["managedFields"] = std::move(entries);
}

FieldOwners owners_to_start_from(const Json& live, Json given, bool subresource) {
    const Json* entries = managed_fields_of(live);
    const auto of_live = [entries] {
        return (entries == nullptr ? FieldOwners() : decode_owners(*entries).value_or(FieldOwners()));
    };
    if (given.is_null()) return of_live();
    // What was not touched, as nearly always, is moved rather than copied.
    if (subresource) return entries != nullptr && *entries == given ? decode_owners(std::move(given)).value_or(FieldOwners()) : of_live();
    if (gives_up(given)) return {};
    auto owners = decode_owners(std::move(given));
    return owners && !owners->empty() ? std::move(*owners) : of_live();
}

std::string manager_of_agent(std::string_view user_agent) {
    std::string name;
    for (const char c : user_agent.substr(0, user_agent.find('/'))) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte != 0x7f) name += c;
    }
    if (name.size() > manager_bytes_max) name.resize(manager_bytes_max);
    return name;
}

FieldOwner* find_owner(FieldOwners& owners, const FieldOwner& like) {
    const auto at =
        std::find_if(owners.begin(), owners.end(), [&](const FieldOwner& owner) { return owner.is(like); });
    return at == owners.end() ? nullptr : &*at;
}

void drop_empty_owners(FieldOwners& owners) {
    std::erase_if(owners, [](const FieldOwner& owner) { return owner.fields.empty(); });
}

void cap_updaters(FieldOwners& owners) {
    std::size_t updaters = static_cast<std::size_t>(
        std::count_if(owners.begin(), owners.end(), [](const FieldOwner& owner) { return !owner.applies; }));
    if (updaters <= updaters_max) return;
    std::stable_sort(owners.begin(), owners.end(), [](const FieldOwner& a, const FieldOwner& b) {
        return std::tie(a.applies, a.time, a.manager) < std::tie(b.applies, b.time, b.manager);
    });
    // The oldest of each version becomes its bucket as soon as a second one joins it.
    std::map<std::string, FieldOwner> first, bucket;
    FieldOwners kept;
    std::size_t at = 0;
    for (; at < owners.size() && !owners[at].applies && updaters > updaters_max; ++at) {
        FieldOwner& owner = owners[at];
        const std::string version = owner.api_version;
        if (const auto joined = bucket.find(version); joined != bucket.end()) {
            joined->second.fields.add(std::move(owner.fields));
            joined->second.time = owner.time;
            --updaters;
        } else if (const auto alone = first.find(version); alone != first.end()) {
            FieldOwner joint{std::string(old_updates),
                             false,
                             version,
                             {},
                             owner.time,
                             alone->second.fields.unite(owner.fields)};
            bucket.emplace(version, std::move(joint));
            first.erase(alone);
            --updaters;
        } else {
            first.emplace(version, std::move(owner));
        }
    }
    for (auto& [version, owner] : first) kept.push_back(std::move(owner));
    for (auto& [version, owner] : bucket) kept.push_back(std::move(owner));
    for (; at < owners.size(); ++at) kept.push_back(std::move(owners[at]));
    owners = std::move(kept);
}

bool only_times_differ(const Json& object, const Json& old) {
    const Json *entries = managed_fields_of(object), *before = managed_fields_of(old);
    return entries != nullptr && before != nullptr && *entries != *before &&
           same_but_times(*entries, *before);
}

}  // namespace kubemu::api
