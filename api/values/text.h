// Text as Go writes it: quoted strings, JSON strings, lists.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kubemu::api {

// strconv.Quote.
std::string go_quote(std::string_view text);
// A []string under %q: ["a" "b"].
std::string go_quote_list(const std::vector<std::string>& texts);

// Appends a JSON string literal the way encoding/json does: <, >, & and U+2028/9 escaped, bad UTF-8 replaced.
void append_json_string(std::string& out, std::string_view text);

std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view trim(std::string_view text);
std::string lower(std::string_view text);

// %XX and, in queries, '+'. Malformed escapes stay as they are.
std::string percent_decode(std::string_view text, bool plus_is_space);

// RFC 4648 with padding. The decoder returns false for anything else.
std::string base64_encode(std::string_view bytes);
bool base64_decode(std::string_view text, std::string& bytes);

bool valid_utf8(std::string_view text);

}  // namespace kubemu::api
