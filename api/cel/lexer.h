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
    std::size_t length = 0;  // as it stands in the source
};

// Ends with an `end` token. What is no token is an issue and left out, so that the parser can say what it misses
// (ANTLR's lexer goes on behind the character that fits nothing).
std::vector<Token> tokenize(const std::string& source, std::vector<Issue>& issues);

}  // namespace kubemu::api::cel
