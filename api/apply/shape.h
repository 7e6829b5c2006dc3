// Shape of a place in an object: how server-side apply treats what stands there.
#pragma once

#include <string>

#include "api/schema/structural.h"
#include "api/schema/type.h"
#include "api/values/object.h"

namespace kubemu::api::apply {

// A leaf is compared and replaced as a whole. `deduced` is a place without a schema: maps are granular, the
// rest is a leaf.
struct Place {
    enum class Kind { leaf, record, map, keyed_list, set, deduced } kind = Kind::leaf;
    const TypeInfo* type = nullptr;    // record, or the items of a keyed list
    const FieldInfo* field = nullptr;  // what declares it; null for a root
    // Within custom resources, in place of `field`; with a type, what the type's fields leave over.
    const structural::Schema* schema = nullptr;
};

Place place_of(const TypeInfo& type);
Place place_of(const structural::Schema& schema);
// The value of a field; the elements of a map or list have place_of_element.
Place place_of(const FieldInfo& field);
Place element_of(const Place& place);
// A named member of a record or map.
Place member_of(const Place& place, std::string_view name);
bool declares(const Place& place, std::string_view name);

// The step that leads to a list item: by its keys or by its value. Empty when a key is missing; `missing`
// then names it.
std::string item_step(const Place& list, const Json& item, std::string* missing = nullptr);

// The value of a record's field as Go's struct holds it: null when it is absent there.
const Json* held(const FieldInfo& field, const Json* value);
// Absent, null or an object: what a map can be where there is no schema.
bool may_be_map(const Json* value);
// A record or map without anything in it. `typed`: as Go's struct holds it.
bool is_empty(const Place& place, const Json* value, bool typed);

}  // namespace kubemu::api::apply
