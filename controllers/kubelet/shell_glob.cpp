// Path names for words with unquoted *, ? and [...] (POSIX, Pathname Expansion).
#include <algorithm>

#include "controllers/kubelet/shell_commands.h"

namespace kubemu::controllers::kubelet::shell {
namespace {

constexpr std::size_t names_max = 1000;

// Whether the set that begins at `at` has the character; moves `at` behind it.
bool in_set(std::string_view pattern, std::size_t& at, char c) {
    std::size_t i = at + 1;
    const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
    if (negated) ++i;
    bool found = false;
    for (bool first = true; i < pattern.size() && (pattern[i] != ']' || first); first = false) {
        const char low = pattern[i];
        const bool range = i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']';
        const char high = range ? pattern[i + 2] : low;
        found = found || (low <= c && c <= high);
        i += range ? 3 : 1;
    }
    at = i + 1;
    return found != negated;
}

// `live` says at each place of the pattern whether it may be a wildcard.
bool matches(std::string_view pattern, std::string_view live, std::string_view name) {
    std::size_t p = 0, n = 0, star = pattern.npos, mark = 0;
    while (n < name.size()) {
        const bool wild = p < pattern.size() && live[p] == '1';
        std::size_t next = p + 1;
        bool fits = p < pattern.size() && (wild && pattern[p] == '?' ? true : pattern[p] == name[n] && !(wild && pattern[p] == '*'));
        if (wild && pattern[p] == '[' && pattern.find(']', p + 2) != pattern.npos) {
            next = p;
            fits = in_set(pattern, next, name[n]);
        }
        if (wild && pattern[p] == '*') {
            star = p++;
            mark = n;
        } else if (fits) {
            p = next;
            ++n;
        } else if (star != pattern.npos) {
            p = star + 1;
            n = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*' && live[p] == '1') ++p;
    return p == pattern.size();
}

}  // namespace

bool has_wildcard(std::string_view word, std::string_view live) {
    for (std::size_t i = 0; i < word.size(); ++i)
        if (live[i] == '1' && (word[i] == '*' || word[i] == '?' || (word[i] == '[' && word.find(']', i + 2) != word.npos))) return true;
    return false;
}

std::vector<std::string> path_names(const Machine& machine, std::string_view word, std::string_view live) {
    if (machine.files == nullptr) return {};
    std::vector<std::string> found = {word.starts_with('/') ? "/" : ""};
    for (std::size_t at = word.find_first_not_of('/'); at < word.size() && !found.empty();) {
        const std::size_t end = std::min(word.find('/', at), word.size());
        const std::string_view part = word.substr(at, end - at), part_live = live.substr(at, end - at);
        const std::size_t next = std::min(word.find_first_not_of('/', end), word.size());
        std::vector<std::string> longer;
        for (const std::string& place : found) {
            if (!has_wildcard(part, part_live)) {
                longer.push_back(place + std::string(part));
                continue;
            }
            for (const std::string& name : machine.files->list(path_of(machine, place.empty() ? "." : place))) {
                const bool hidden = name.starts_with('.') && !part.starts_with('.');
                if (!hidden && longer.size() < names_max && matches(part, part_live, name)) longer.push_back(place + name);
            }
        }
        std::erase_if(longer, [&](const std::string& path) {
            const std::string full = path_of(machine, path);
            return !machine.files->is_directory(full) && (end < word.size() || !machine.files->read(full));
        });
        if (end < word.size())
            for (std::string& path : longer) path += '/';
        found = std::move(longer);
        at = next;
    }
    return found;
}

}  // namespace kubemu::controllers::kubelet::shell
