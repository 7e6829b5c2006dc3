// What functions do. The checker has seen to the types as far as they are known; the rest is seen to here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/cel/value.h"

namespace kubemu::api::cel {

using Arguments = std::vector<Value>;
using Function = Value (*)(const Arguments& arguments);

// Null when there is none. Logic, conditions and macros are the evaluator's.
Function function_of(std::string_view name);

// A value as string.format's %s shows it.
std::string format_text(const Value& value);

// "no such overload"
Value no_overload();

}  // namespace kubemu::api::cel
