// Which functions there are, and of which types.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/cel/type.h"

namespace kubemu::api::cel {

struct Signature {
    bool method = false;
    std::vector<TypePtr> arguments;
    TypePtr result;
};

// Empty when there is no such function.
const std::vector<Signature>& signatures_of(std::string_view function);

}  // namespace kubemu::api::cel
