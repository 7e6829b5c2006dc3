// What ConfigMaps and Secrets have in common (kubernetes pkg/apis/core/validation).
#pragma once

#include <cstddef>
#include <initializer_list>

#include "api/values/field_errors.h"

namespace kubemu::api::kinds {

// All values of one object together.
constexpr std::size_t data_bytes_max = 1024 * 1024;

void validate_data_keys(const Json& data, const FieldPath& path, FieldErrors& errors);
// The bytes of all values: of texts, and of what base64 texts stand for.
std::size_t text_bytes(const Json& data);
std::size_t base64_bytes(const Json& data);
// An object that was immutable stays so, and its `members` stay as they are.
void validate_immutable_data(const Json& object, const Json& old, std::initializer_list<const char*> members,
                             FieldErrors& errors);

}  // namespace kubemu::api::kinds
