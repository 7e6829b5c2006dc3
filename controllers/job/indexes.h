// Completed indexes of an indexed Job as its status shows them: "0-3,5".
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace kubemu::controllers {

std::set<int> parse_indexes(std::string_view text);
std::string format_indexes(const std::set<int>& indexes);

}  // namespace kubemu::controllers
