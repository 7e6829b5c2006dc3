// Zero values: what Go's structs and encoding/json make of fields that are empty or not there.
#pragma once

#include "api/schema/type.h"
#include "api/values/object.h"

namespace kubemu::api {

// false, 0, "", null, and lists and maps without items.
bool is_zero(const Json& value);

// Takes out what is encoded the same when it is not there: nulls, zero values of fields that are left out
// when they are empty, and structs without contents. Two documents of a type that mean the same object are
// equal after it, so that a client may say `hostNetwork: false`, or nothing, and changes nothing. Empty lists stay where
// the rules of the kind refuse them.
void drop_zero_values(Json& object, const TypeInfo& type);
// The same with the empty lists that are refused: what Go's Semantic.DeepEqual compares.
void drop_all_zero_values(Json& object, const TypeInfo& type);

// Whether a value of this field is or holds an empty list, map or byte string: what reflect.DeepEqual of Go tells from nil.
bool holds_empty_containers(const Json& value, const FieldInfo& field);

}  // namespace kubemu::api
