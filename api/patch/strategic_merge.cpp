// Strategic merge patch: a merge patch in which lists of objects merge by key
// (k8s.io/apimachinery/pkg/util/strategicpatch, mergeMap and below).
//
// What Go's maps leave to chance (which of several mistakes is reported) is decided by the order of names here.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "api/patch/element_order.h"
#include "api/patch/go_text.h"
#include "api/patch/patch.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

constexpr std::string_view order_prefix = "$setElementOrder";
constexpr std::string_view delete_prefix = "$deleteFromPrimitiveList";
constexpr const char* bad_primitive_list = "invalid patch format of primitive list";
constexpr const char* bad_order_list = "invalid patch format of setElementOrder list";
constexpr const char* bad_retain_keys = "invalid patch format of retainKeys";

bool has_prefix(std::string_view text, std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; }

Status bad_type(const char* expected, const Json& received) {
    return Status::plain_500(std::string("expected a ") + expected + ", but received a " + go_type_text(received));
}

// What a patched map is in Go: a struct whose fields say how they merge, or a map, whose values have no such tags.
struct Schema {
    const TypeInfo* type = nullptr;
    std::string_view kind = "struct";
};

// How a member merges.
struct Member {
    Schema schema;  // of the member, or of its items
    PatchStrategy strategy = PatchStrategy::none;
    std::string merge_key;
    bool list = false;

    bool merges() const { return strategy == PatchStrategy::merge || strategy == PatchStrategy::merge_retain_keys; }
};

ApiResult<Member> member_of(const Schema& schema, const std::string& name) {
    if (schema.kind != "struct") {
        return Status::plain_500("merging an object in json but data type is not struct, instead is: " + std::string(schema.kind));
    }
    const FieldInfo* field = schema.type == nullptr ? nullptr : schema.type->field(name);
    if (field == nullptr) {
        const std::string type = schema.type == nullptr ? "RawExtension" : std::string(go_name_of(*schema.type));
        return Status::plain_500("unable to find api field in struct " + type + " for the json field " + go_quote(name));
    }
    Member member;
    member.strategy = field->patch_strategy;
    member.merge_key = field->patch_merge_key;
    member.list = field->shape == Shape::list;
    member.schema.type = field->kind == ValueKind::object ? field->type : nullptr;
    if (field->shape == Shape::map || field->shape == Shape::map_of_lists) member.schema = {nullptr, "map"};
    return member;
}

ApiResult<Member> list_member_of(const Schema& schema, const std::string& name) {
    TRY_ASSIGN(Member member, member_of(schema, name));
    if (!member.list) return Status::plain_500("expected slice or array type, but got: " + std::string(schema.kind));
    return member;
}

// `$prefix/name`. Errors: 400.
ApiResult<std::string> name_behind(const std::string& directive, std::string_view prefix) {
    const std::size_t slash = directive.find('/');
    if (slash == std::string::npos || directive.substr(0, slash) != prefix) {
        return Status::bad_request(prefix == delete_prefix ? bad_primitive_list : bad_order_list);
    }
    return directive.substr(slash + 1);
}

// Without the maps that hold a `$patch`, and the members and items that are such maps. False when `value` is one itself.
bool remove_directives(Json& value) {
    if (value.is_object()) {
        if (value.contains("$patch")) return false;
        for (auto at = value.begin(); at != value.end();) at = remove_directives(*at) ? std::next(at) : value.erase(at);
    } else if (value.is_array()) {
        Json kept = Json::array();
        for (Json& item : value) {
            if (remove_directives(item)) kept.push_back(std::move(item));
        }
        value = std::move(kept);
    }
    return true;
}

void discard_nulls(Json& value) {
    if (value.is_object()) {
        for (auto at = value.begin(); at != value.end();) {
            if (at->is_null()) {
                at = value.erase(at);
                continue;
            }
            discard_nulls(*at);
            ++at;
        }
    } else if (value.is_array()) {
        for (Json& item : value) discard_nulls(item);
    }
}

bool same_type(const Json& a, const Json& b) { return go_type_text(a) == go_type_text(b); }

class Merger {
  public:
    // Both are changed on the way, also when it fails.
    ApiResult<bool> map(Json& original, Json& patch, const Schema& schema) {
        if (const auto directive = patch.find("$patch"); directive != patch.end()) return whole(original, patch, Json(*directive));
        if (!original.is_object()) original = Json::object();
        TRY(retain_keys(original, patch));
        TRY(ordered_lists(original, patch, schema));
        std::vector<std::string> names;
        for (const auto& [name, value] : patch.items()) names.push_back(name);
        for (const std::string& name : names) TRY(merge_member(original, name, patch[name], schema));
        return true;
    }

  private:
    static ApiResult<bool> whole(Json& original, Json& patch, const Json& directive) {
        if (directive == "replace") {
            patch.erase("$patch");
            original = patch;
            return true;
        }
        if (directive == "delete") {
            original = Json::object();
            return true;
        }
        return Status::plain_500("unknown patch type: " + go_text(directive) + " in map: " + go_text(patch));
    }

    static ApiResult<bool> retain_keys(Json& original, Json& patch) {
        const auto found = patch.find("$retainKeys");
        if (found == patch.end()) return true;
        const Json retained = *found;
        patch.erase(found);
        if (!retained.is_array()) return Status::bad_request(bad_retain_keys);
        const auto keeps = [&](const std::string& name) { return std::find(retained.begin(), retained.end(), name) != retained.end(); };
        for (const auto& [name, value] : patch.items()) {
            const bool directive = has_prefix(name, delete_prefix) || has_prefix(name, order_prefix);
            if (!value.is_null() && !directive && !keeps(name)) return Status::bad_request(bad_retain_keys);
        }
        for (auto at = original.begin(); at != original.end();) at = keeps(at.key()) ? std::next(at) : original.erase(at);
        return true;
    }

    // Lists with a $setElementOrder beside them; both leave the patch.
    ApiResult<bool> ordered_lists(Json& original, Json& patch, const Schema& schema) {
        std::vector<std::string> directives;
        for (const auto& [name, value] : patch.items()) {
            if (has_prefix(name, order_prefix)) directives.push_back(name);
        }
        for (const std::string& directive : directives) {
            const Json order = patch[directive];
            patch.erase(directive);
            if (!order.is_array()) return bad_type("[]interface {}", order);
            TRY_ASSIGN(const std::string name, name_behind(directive, order_prefix));
            const bool has = original.contains(name), gives = patch.contains(name);
            if (has && !original[name].is_array()) return bad_type("[]interface {}", original[name]);
            if (gives && !patch[name].is_array()) return bad_type("[]interface {}", patch[name]);
            TRY_ASSIGN(const Member member, list_member_of(schema, name));
            const ItemIdentity identity{member.merge_key};
            TRY(check_order(gives ? patch[name] : Json::array(), order, identity));
            if (!has && !gives) continue;
            const Json before = has ? original[name] : Json::array();
            Json merged = before;
            if (gives) {
                Json given = patch[name];
                if (has) {
                    TRY_ASSIGN(merged, slice(before, given, member, false));
                } else {
                    remove_directives(given);
                    merged = std::move(given);
                }
            }
            TRY(element_type(before, gives ? patch[name] : Json::array()));
            TRY_ASSIGN(original[name], in_order(merged, order, before, identity));
            patch.erase(name);
        }
        return true;
    }

    ApiResult<bool> merge_member(Json& original, std::string name, Json& value, const Schema& schema) {
        const bool deletes = has_prefix(name, delete_prefix);
        if (deletes) {
            TRY_ASSIGN(name, name_behind(name, delete_prefix));
        }
        if (value.is_null()) {
            original.erase(name);
            return true;
        }
        const auto found = original.find(name);
        if (found == original.end() || !same_type(*found, value)) {
            if (deletes) return true;
            discard_nulls(value);
            set_without_directives(original, name, value);
            return true;
        }
        if (value.is_object()) {
            TRY_ASSIGN(const Member member, member_of(schema, name));
            if (member.strategy == PatchStrategy::replace) *found = value;
            else TRY(map(*found, value, member.schema));
        } else if (value.is_array()) {
            TRY_ASSIGN(const Member member, list_member_of(schema, name));
            TRY_ASSIGN(Json merged, slice(*found, value, member, deletes));
            *found = std::move(merged);
        } else {
            set_without_directives(original, name, value);
        }
        return true;
    }

    static void set_without_directives(Json& original, const std::string& name, const Json& value) {
        Json kept = value;
        if (remove_directives(kept)) original[name] = std::move(kept);
        else original.erase(name);
    }

    ApiResult<Json> slice(const Json& original, Json& patch, const Member& member, bool deletes) {
        if (!member.merges() && !deletes) return patch;
        if (original.empty() && patch.empty()) return original;
        TRY_ASSIGN(const bool maps, element_type(original, patch));
        const ItemIdentity identity{member.merge_key};
        if (!maps) {
            Json merged = Json::array();
            for (const Json& item : original) {
                const bool gone = deletes && std::find(patch.begin(), patch.end(), item) != patch.end();
                if (!gone) merged.push_back(item);
            }
            if (deletes) return merged;
            for (const Json& item : patch) merged.push_back(item);
            deduplicate(merged);
            return in_order(merged, patch, original, {});
        }
        if (member.merge_key.empty()) return Status::plain_500("cannot merge lists without merge key for " + std::string(member.schema.kind));
        Json base = original;
        Json plain = Json::array();
        TRY(special_items(base, patch, plain, member.merge_key));
        const Json before = base;
        TRY(merge_items(base, plain, member));
        return in_order(base, plain, before, identity);
    }

    // The first of equal values stays where it is; the place of another one is taken by the last.
    static void deduplicate(Json& list) {
        for (std::size_t i = 0; i + 1 < list.size(); ++i) {
            for (std::size_t j = i + 1; j < list.size();) {
                if (list[i] != list[j]) {
                    ++j;
                    continue;
                }
                list[j] = list.back();
                list.erase(list.size() - 1);
            }
        }
    }

    // Whether the items are maps. Errors: 500 when they are not all of one type, 422 when they are lists.
    static ApiResult<bool> element_type(const Json& original, const Json& patch) {
        const Json* first = nullptr;
        for (const Json* list : {&original, &patch}) {
            for (const Json& item : *list) {
                if (first == nullptr) {
                    if (item.is_array()) return Status::server_response(422);
                    first = &item;
                }
                if (!same_type(*first, item)) {
                    return Status::plain_500("list element types are not identical: [" + go_text(original) + " " + go_text(patch) + "]");
                }
            }
        }
        if (first == nullptr) return Status::plain_500("no elements in any of the given slices");
        return first->is_object();
    }

    // Carries out the items with a `$patch`; the others become `plain`.
    static ApiResult<bool> special_items(Json& base, const Json& patch, Json& plain, const std::string& key) {
        bool replaces = false;
        for (const Json& item : patch) {
            const auto directive = item.find("$patch");
            if (directive == item.end()) {
                plain.push_back(item);
            } else if (*directive == "delete") {
                const auto value = item.find(key);
                if (value == item.end()) return without_key(item, key);
                for (std::size_t i = 0; i < base.size();) {
                    if (base[i].value(key, Json()) == *value) base.erase(i);
                    else ++i;
                }
            } else if (*directive == "replace") {
                replaces = true;
            } else if (*directive == "merge") {
                return Status::plain_500("merging lists cannot yet be specified in the patch");
            } else {
                return Status::plain_500("unknown patch type: " + go_text(*directive) + " in map: " + go_text(item));
            }
        }
        if (replaces) {
            base = std::move(plain);
            plain = Json::array();
        }
        return true;
    }

    ApiResult<bool> merge_items(Json& base, Json& plain, const Member& member) {
        const std::string& key = member.merge_key;
        for (Json& item : plain) {
            const auto value = item.find(key);
            if (value == item.end()) return without_key(item, key);
            const Json wanted = *value;
            const auto same = std::find_if(base.begin(), base.end(), [&](const Json& have) {
                const auto at = have.find(key);
                return at != have.end() && *at == wanted;
            });
            if (same != base.end()) {
                TRY(map(*same, item, member.schema));
                // The directives that were carried out are gone from the item; its place is still known by its key.
                item[key] = wanted;
            } else {
                base.push_back(item);
            }
        }
        return true;
    }

    static Status without_key(const Json& item, const std::string& key) {
        return Status::plain_500("map: " + go_text(item) + " does not contain declared merge key: " + key);
    }
};

}  // namespace

ApiResult<bool> apply_strategic_merge_patch(Json& document, Json& patch, const TypeInfo& type) {
    return Merger().map(document, patch, Schema{&type});
}

}  // namespace kubemu::api
