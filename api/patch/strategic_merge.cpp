// Strategic merge patch: a merge patch in which lists of objects merge by key.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/patch/patch.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

constexpr std::string_view order_prefix = "$setElementOrder/";
constexpr std::string_view delete_prefix = "$deleteFromPrimitiveList/";

// Go's %v of a decoded document.
std::string go_text(const Json& value) {
    if (value.is_object()) {
        std::string out = "map[";
        for (const auto& [name, item] : value.items()) out += (out.size() > 4 ? " " : "") + name + ":" + go_text(item);
        return out + "]";
    }
    if (value.is_array()) {
        std::string out = "[";
        for (const Json& item : value) out += (out.size() > 1 ? " " : "") + go_text(item);
        return out + "]";
    }
    if (value.is_string()) return value.get<std::string>();
    if (value.is_null()) return "<nil>";
    return value.dump();
}

bool has_prefix(std::string_view text, std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; }

class Merger {
  public:
    ApiResult<bool> object(Json& document, const Json& patch, const TypeInfo* type) {
        if (const Json* directive = find(patch, "$patch")) {
            if (*directive == "replace") {
                document = patch;
                document.erase("$patch");
                return true;
            }
            if (*directive == "delete") {
                document = Json::object();
                return true;
            }
            if (*directive != "merge") {
                return Status::plain_500("unknown patch type: " + go_text(*directive) + " in map: " + go_text(patch));
            }
        }
        if (!document.is_object()) document = Json::object();
        if (const Json* retained = find(patch, "$retainKeys")) {
            if (!retained->is_array()) return Status::bad_request("invalid patch format of retainKeys");
            for (auto at = document.begin(); at != document.end();) {
                const bool keep = std::find(retained->begin(), retained->end(), Json(at.key())) != retained->end();
                at = keep ? std::next(at) : document.erase(at);
            }
        }
        for (const auto& [name, value] : patch.items()) {
            if (name == "$patch" || name == "$retainKeys" || has_prefix(name, order_prefix)) continue;
            if (has_prefix(name, delete_prefix)) {
                remove_primitives(document, name.substr(delete_prefix.size()), value);
                continue;
            }
            TRY(member(document, name, value, type, patch));
        }
        // Orders of lists that the patch itself does not touch.
        for (const auto& [name, value] : patch.items()) {
            if (!has_prefix(name, order_prefix)) continue;
            const std::string list = name.substr(order_prefix.size());
            if (patch.contains(list)) continue;
            if (Json* items = find(document, list); items != nullptr && items->is_array()) {
                TRY(reorder(*items, nullptr, value, merge_key(type, list)));
            }
        }
        return true;
    }

  private:
    static const FieldInfo* field_of(const TypeInfo* type, std::string_view name) {
        return type == nullptr ? nullptr : type->field(name);
    }
    static std::string merge_key(const TypeInfo* type, std::string_view name) {
        const FieldInfo* field = field_of(type, name);
        return field == nullptr ? std::string() : std::string(field->patch_merge_key);
    }

    static void remove_primitives(Json& document, const std::string& name, const Json& values) {
        Json* list = find(document, name);
        if (list == nullptr || !list->is_array() || !values.is_array()) return;
        for (const Json& value : values) list->erase(std::remove(list->begin(), list->end(), value), list->end());
    }

    ApiResult<bool> member(Json& document, const std::string& name, const Json& value, const TypeInfo* type, const Json& patch) {
        if (value.is_null()) {
            document.erase(name);
            return true;
        }
        const FieldInfo* field = field_of(type, name);
        const bool merges = field == nullptr || field->patch_strategy == PatchStrategy::merge ||
                            field->patch_strategy == PatchStrategy::merge_retain_keys;
        if (value.is_object()) {
            const bool replaces = field != nullptr && field->patch_strategy == PatchStrategy::replace;
            if (replaces || !document.contains(name) || document[name].is_null()) {
                Json fresh = Json::object();
                TRY(object(fresh, value, field != nullptr && field->shape == Shape::single ? field->type : nullptr));
                document[name] = std::move(fresh);
                return true;
            }
            if (field != nullptr && field->shape == Shape::map && field->type != nullptr && document[name].is_object()) {
                for (const auto& [key, item] : value.items()) {
                    if (item.is_null()) document[name].erase(key);
                    else if (item.is_object()) TRY(object(document[name][key], item, field->type));
                    else document[name][key] = item;
                }
                return true;
            }
            return object(document[name], value, field != nullptr && field->shape == Shape::single ? field->type : nullptr);
        }
        if (value.is_array() && field != nullptr && field->shape == Shape::list && merges) {
            Json* list = &document[name];
            if (!list->is_array()) *list = Json::array();
            const auto order = patch.find(std::string(order_prefix) + name);
            const Json* wanted = order == patch.end() ? nullptr : &*order;
            if (field->patch_merge_key.empty()) return primitives(*list, value, wanted);
            return objects(*list, value, *field, wanted);
        }
        if (value.is_string() && field != nullptr && field->shape == Shape::list) {
            StatusDetail detail;
            detail.code = 422;
            detail.reason = "Invalid";
            const std::string message = "cannot restore slice from string";
            detail.message = " \"\" is invalid: patch: Invalid value: \"" + go_text(root) + "\": " + message;
            detail.causes.push_back({"FieldValueInvalid", "Invalid value: \"" + go_text(root) + "\": " + message, "patch"});
            return Status(std::move(detail));
        }
        document[name] = value;
        return true;
    }

    static ApiResult<bool> primitives(Json& list, const Json& value, const Json* order) {
        for (const Json& item : value) {
            if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
        }
        if (order != nullptr) return reorder(list, &value, *order, {});
        return true;
    }

    ApiResult<bool> objects(Json& list, const Json& patch, const FieldInfo& field, const Json* order) {
        const std::string key(field.patch_merge_key);
        for (const Json& item : patch) {
            if (item.is_object() && item.value("$patch", Json()) == "replace") {
                list = Json::array();
                for (const Json& other : patch) {
                    if (!(other.is_object() && other.contains("$patch"))) list.push_back(other);
                }
                return true;
            }
        }
        for (const Json& item : patch) {
            if (!item.is_object() || !item.contains(key)) {
                return Status::plain_500("map: " + go_text(item) + " does not contain declared merge key: " + key);
            }
            const auto same = std::find_if(list.begin(), list.end(), [&](const Json& have) {
                return have.is_object() && have.contains(key) && have[key] == item[key];
            });
            if (item.value("$patch", Json()) == "delete") {
                if (same != list.end()) {
                    list.erase(std::remove_if(list.begin(), list.end(),
                                              [&](const Json& have) { return have.is_object() && have.value(key, Json()) == item[key]; }),
                               list.end());
                }
                continue;
            }
            if (same != list.end()) {
                TRY(object(*same, item, field.type));
            } else {
                Json fresh = Json::object();
                TRY(object(fresh, item, field.type));
                list.push_back(std::move(fresh));
            }
        }
        if (order != nullptr) return reorder(list, &patch, *order, key);
        return true;
    }

    // Items named by the order take its sequence; the others keep their places relative to each other.
    static ApiResult<bool> reorder(Json& list, const Json* patch, const Json& order, const std::string& key) {
        if (!order.is_array()) return true;
        const auto identity = [&key](const Json& item) -> Json {
            return key.empty() ? item : item.is_object() && item.contains(key) ? item[key] : Json(nullptr);
        };
        const auto rank = [&](const Json& item) -> std::ptrdiff_t {
            const Json id = identity(item);
            for (std::size_t i = 0; i < order.size(); ++i) {
                if (identity(order[i]) == id) return static_cast<std::ptrdiff_t>(i);
            }
            return -1;
        };
        if (patch != nullptr) {
            std::ptrdiff_t last = -1;
            for (const Json& item : *patch) {
                if (item.is_object() && item.contains("$patch")) continue;
                const std::ptrdiff_t at = rank(item);
                if (at < last || at < 0) {
                    return Status::plain_500("The order in patch list:\n" + go_text(*patch) +
                                             "\n doesn't match $setElementOrder list:\n" + go_text(order) + "\n");
                }
                last = at;
            }
        }
        std::vector<Json> ordered, others;
        std::vector<std::size_t> other_places;
        for (std::size_t i = 0; i < list.size(); ++i) {
            if (rank(list[i]) >= 0) {
                ordered.push_back(list[i]);
            } else {
                others.push_back(list[i]);
                other_places.push_back(i);
            }
        }
        std::stable_sort(ordered.begin(), ordered.end(), [&](const Json& a, const Json& b) { return rank(a) < rank(b); });
        Json merged = Json::array();
        std::size_t o = 0;
        for (std::size_t i = 0; i < ordered.size(); ++i) {
            while (o < others.size() && other_places[o] <= merged.size()) merged.push_back(others[o++]);
            merged.push_back(ordered[i]);
        }
        while (o < others.size()) merged.push_back(others[o++]);
        list = std::move(merged);
        return true;
    }

  public:
    Json root;
};

}  // namespace

ApiResult<bool> apply_strategic_merge_patch(Json& document, const Json& patch, const TypeInfo& type) {
    Merger merger;
    merger.root = patch;
    Json work = document;
    TRY(merger.object(work, patch, &type));
    document = std::move(work);
    return true;
}

}  // namespace kubemu::api
