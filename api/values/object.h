// Json: the decoded form of an object, and accessors over it that never throw.
//
// Decoded documents are short-lived: made to change or to check an object, then encoded and dropped. What lives
// long is bytes and Views. Members keep no order here; the codec writes them in the order of the schema.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace kubemu::api {

using Json = nlohmann::json;

// A member of `object` by path, or null when any step is absent, null or not an object. Never throws.
const Json* find(const Json& object, std::initializer_list<std::string_view> path);
const Json* find(const Json& object, std::string_view member);
Json* find(Json& object, std::string_view member);
Json* find(Json& object, std::initializer_list<std::string_view> path);
// Makes the objects on the way; a step that is something else than an object is replaced by one.
Json& ensure(Json& object, std::initializer_list<std::string_view> path);

// The value at the path, or the fallback when it is absent or of another type.
std::string_view string_at(const Json& object, std::initializer_list<std::string_view> path, std::string_view fallback = {});
std::int64_t int_at(const Json& object, std::initializer_list<std::string_view> path, std::int64_t fallback = 0);
bool bool_at(const Json& object, std::initializer_list<std::string_view> path, bool fallback = false);
// An empty array or object when it is absent or of another type, so that it can be iterated.
const Json& array_at(const Json& object, std::initializer_list<std::string_view> path);
const Json& object_at(const Json& object, std::initializer_list<std::string_view> path);

// metadata shorthands.
std::string_view name_of(const Json& object);
std::string_view namespace_of(const Json& object);
std::string_view uid_of(const Json& object);
std::int64_t revision_of(const Json& object);  // metadata.resourceVersion as a number; 0 when absent or malformed

void erase(Json& object, std::string_view member);

}  // namespace kubemu::api
