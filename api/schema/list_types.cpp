// Uniqueness in lists that are sets or maps (k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype).
#include <map>
#include <nlohmann/json.hpp>

#include "api/schema/validate_schema.h"
#include "api/values/go_print.h"

namespace kubemu::api::structural {
namespace {

// The second of each kind of duplicates is the one that is complained of.
std::vector<std::size_t> repeated(const std::vector<Json>& values) {
    std::map<Json, int> seen;
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (++seen[values[i]] == 2) found.push_back(i);
    }
    return found;
}

void check_map(const Json& list, const Schema& schema, const FieldPath& path, FieldErrors& errors) {
    std::vector<Json> keys;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const Json& item = list[i];
        if (!item.is_object() && !item.is_null()) {
            errors.invalid(path.index(i), GoText{go_bad_value(item)}, "must be an object for an array of list-type map");
            return;
        }
        Json key = Json::object();
        for (const std::string& name : schema.list_map_keys) {
            if (item.is_object() && item.contains(name)) key[name] = item[name];
        }
        keys.push_back(std::move(key));
    }
    for (const std::size_t i : repeated(keys)) errors.duplicate(path.index(i), GoText{go_bad_value(keys[i])});
}

}  // namespace

void validate_list_types(const Json& value, const Schema& schema, const FieldPath& path, FieldErrors& errors) {
    if (value.is_object()) {
        if (schema.additional_properties) {
            for (const auto& [name, member] : value.items()) {
                validate_list_types(member, *schema.additional_properties, path.key(name), errors);
            }
        }
        for (const auto& [name, member] : value.items()) {
            if (const Schema* own = schema.property(name)) validate_list_types(member, *own, path.child(name), errors);
        }
        return;
    }
    if (!value.is_array()) return;
    if (schema.list_type == "set") {
        for (const std::size_t i : repeated(std::vector<Json>(value.begin(), value.end()))) {
            errors.duplicate(path.index(i), GoText{go_bad_value(value[i])});
        }
    } else if (schema.list_type == "map") {
        check_map(value, schema, path, errors);
    }
    if (!schema.items) return;
    for (std::size_t i = 0; i < value.size(); ++i) validate_list_types(value[i], *schema.items, path.index(i), errors);
}

}  // namespace kubemu::api::structural
