// Hashes of what is kept once.
#include "api/kinds/interned.h"

#include <functional>
#include <string_view>

namespace kubemu::api {
namespace {

std::size_t mix(std::size_t hash, std::string_view text) {
    return (hash ^ std::hash<std::string_view>()(text)) * 0x9e3779b97f4a7c15ULL;
}

}  // namespace

// The high bits of a product depend on all of the text.
std::size_t hash_of(const std::vector<std::string>& texts) {
    std::size_t hash = 0;
    for (const std::string& text : texts) hash = mix(hash, text);
    return hash >> 32;
}

std::size_t hash_of(const std::vector<std::pair<std::string, std::string>>& texts) {
    std::size_t hash = 0;
    for (const auto& [key, value] : texts) hash = mix(mix(hash, key), value);
    return hash >> 32;
}

}  // namespace kubemu::api
