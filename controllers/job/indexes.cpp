// Ranges of indexes.
#include "controllers/job/indexes.h"

#include <algorithm>
#include <cstdlib>

#include "api/values/text.h"

namespace kubemu::controllers {

std::set<int> parse_indexes(std::string_view text, int completions) {
    std::set<int> indexes;
    for (const std::string_view part : api::split(text, ',')) {
        if (part.empty()) continue;
        const std::size_t dash = part.find('-');
        const int first = std::atoi(std::string(part.substr(0, dash)).c_str());
        const int last = dash == std::string_view::npos ? first : std::atoi(std::string(part.substr(dash + 1)).c_str());
        for (int i = std::max(0, first); i <= last && i < completions; ++i) indexes.insert(i);
    }
    return indexes;
}

std::string format_indexes(const std::set<int>& indexes) {
    std::string text;
    for (auto at = indexes.begin(); at != indexes.end();) {
        const int first = *at;
        int last = first;
        for (++at; at != indexes.end() && *at == last + 1; ++at) last = *at;
        if (!text.empty()) text += ',';
        text += std::to_string(first);
        // Two neighbours are written apart, as the real one does.
        if (last == first + 1) text += "," + std::to_string(last);
        else if (last > first) text += "-" + std::to_string(last);
    }
    return text;
}

}  // namespace kubemu::controllers
