// Tokens of CEL.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/cel/expression.h"

namespace kubemu::api::cel {

struct Token {
    enum class Kind { identifier, integer, unsigned_integer, real, string, bytes, symbol, end };
    Kind kind = Kind::end;
    std::string text;  // of strings and bytes: what they mean
    std::size_t offset = 0;
};

// Ends with an `end` token. Stops at the first issue.
std::vector<Token> tokenize(const std::string& source, std::vector<Issue>& issues);

}  // namespace kubemu::api::cel
