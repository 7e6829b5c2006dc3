// Values as Go's fmt package prints them in error messages.
#pragma once

#include <string>

#include "api/values/object.h"

namespace kubemu::api {

// A float64 by %v: "1.5", "1e+21".
std::string go_float(double number);

// What JSON was decoded into, by %#v: `map[string]interface {}{"name":"a"}`, `[]interface {}{1, "x"}`.
std::string go_unstructured(const Json& value);

// The same by %v: `map[name:a]`, `[1 x]`.
std::string go_plain(const Json& value);

// "str is of the type string": a value by %v and its type by %T, as accessors of unstructured objects complain.
std::string go_typed(const Json& value);

// How field.Error shows a bad value: strings quoted, numbers and booleans bare, null as "null", the rest by %#v.
std::string go_bad_value(const Json& value);

}  // namespace kubemu::api
