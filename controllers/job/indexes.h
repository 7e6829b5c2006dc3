// Completed and failed indexes of an indexed Job as its status shows them: "0-3,5".
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace kubemu::controllers {

// Indexes from `completions` on are left out: an elastic Job that shrank no longer has them.
std::set<int> parse_indexes(std::string_view text, int completions);
std::string format_indexes(const std::set<int>& indexes);

}  // namespace kubemu::controllers
