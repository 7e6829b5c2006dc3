// Looks for words in texts of records.
#pragma once

#include <string.h>  // memmem

#include <string_view>

namespace kubemu {

// As text.find(part, from). The standard library calls a function at each place where the first letter stands, and
// every second word of JSON begins with a quote: 40 times slower on a pod than this.
inline std::size_t find_text(std::string_view text, std::string_view part, std::size_t from = 0) {
    if (from > text.size()) return std::string_view::npos;
    const void* found = memmem(text.data() + from, text.size() - from, part.data(), part.size());
    if (found == nullptr) return std::string_view::npos;
    return static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

inline bool contains_text(std::string_view text, std::string_view part) {
    return find_text(text, part) != std::string_view::npos;
}

}  // namespace kubemu
