// The parts of the function table, one a file.
#pragma once

#include <span>
#include <string_view>

#include "api/cel/functions.h"

namespace kubemu::api::cel {

struct NamedFunction {
    std::string_view name;
    Function function;
};

std::span<const NamedFunction> operator_functions();
std::span<const NamedFunction> conversion_functions();
std::span<const NamedFunction> string_functions();
std::span<const NamedFunction> list_functions();
std::span<const NamedFunction> time_functions();
std::span<const NamedFunction> kubernetes_functions();
std::span<const NamedFunction> authorization_functions();
std::span<const NamedFunction> kwok_functions();  // that no checked expression calls

// string.format of cel-go/ext.
Value format_string(const Arguments& arguments);

}  // namespace kubemu::api::cel
