// Accessors over decoded documents.
#include "api/values/object.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "api/values/name_order.h"

namespace kubemu::api {

const Json* find(const Json& object, std::string_view member) {
    if (!object.is_object()) return nullptr;
    const auto& members = object.get_ref<const Json::object_t&>();
    const auto found = members.find(WantedName{member});
    return found == members.end() || found->second.is_null() ? nullptr : &found->second;
}

Json* find(Json& object, std::string_view member) {
    return const_cast<Json*>(find(static_cast<const Json&>(object), member));
}

const Json* find(const Json& object, std::initializer_list<std::string_view> path) {
    const Json* at = &object;
    for (const std::string_view step : path) {
        at = find(*at, step);
        if (at == nullptr) return nullptr;
    }
    return at;
}

Json* find(Json& object, std::initializer_list<std::string_view> path) {
    return const_cast<Json*>(find(static_cast<const Json&>(object), path));
}

Json& ensure(Json& object, std::initializer_list<std::string_view> path) {
    Json* at = &object;
    for (const std::string_view step : path) {
        if (!at->is_object()) *at = Json::object();
        at = &(*at)[std::string(step)];
    }
    if (!at->is_object() && !at->is_array()) *at = Json::object();
    return *at;
}

std::string_view string_at(const Json& object, std::initializer_list<std::string_view> path, std::string_view fallback) {
    const Json* value = find(object, path);
    return value != nullptr && value->is_string() ? std::string_view(value->get_ref<const std::string&>()) : fallback;
}

std::int64_t int_at(const Json& object, std::initializer_list<std::string_view> path, std::int64_t fallback) {
    const Json* value = find(object, path);
    return value != nullptr && value->is_number() ? value->get<std::int64_t>() : fallback;
}

bool bool_at(const Json& object, std::initializer_list<std::string_view> path, bool fallback) {
    const Json* value = find(object, path);
    return value != nullptr && value->is_boolean() ? value->get<bool>() : fallback;
}

const Json& array_at(const Json& object, std::initializer_list<std::string_view> path) {
    static const Json empty = Json::array();
    const Json* value = find(object, path);
    return value != nullptr && value->is_array() ? *value : empty;
}

const Json& object_at(const Json& object, std::initializer_list<std::string_view> path) {
    static const Json empty = Json::object();
    const Json* value = find(object, path);
    return value != nullptr && value->is_object() ? *value : empty;
}

std::string_view name_of(const Json& object) { return string_at(object, {"metadata", "name"}); }
std::string_view namespace_of(const Json& object) { return string_at(object, {"metadata", "namespace"}); }
std::string_view uid_of(const Json& object) { return string_at(object, {"metadata", "uid"}); }

std::int64_t revision_of(const Json& object) {
    const std::string_view text = string_at(object, {"metadata", "resourceVersion"});
    std::int64_t revision = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), revision);
    return error == std::errc() && end == text.data() + text.size() ? revision : 0;
}

void erase(Json& object, std::string_view member) {
    if (!object.is_object()) return;
    const auto found = object.find(member);
    if (found != object.end()) object.erase(found);
}

}  // namespace kubemu::api
