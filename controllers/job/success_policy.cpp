// Rules about indexes, about a number of them, or about a number out of some.
#include "controllers/job/success_policy.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "controllers/job/indexes.h"

namespace kubemu::controllers {

std::optional<std::string> success_policy_met(const api::Json& job, const std::set<int>& succeeded) {
    const api::Json& rules = api::array_at(job, {"spec", "successPolicy", "rules"});
    if (succeeded.empty()) return std::nullopt;
    const int completions = static_cast<int>(api::int_at(job, {"spec", "completions"}));
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const api::Json* count = api::find(rules[i], "succeededCount");
        std::int64_t have = static_cast<std::int64_t>(succeeded.size());
        std::int64_t need = count != nullptr ? count->get<std::int64_t>() : have + 1;
        if (api::find(rules[i], "succeededIndexes") != nullptr) {
            const std::set<int> wanted = parse_indexes(api::string_at(rules[i], {"succeededIndexes"}), completions);
            have = std::count_if(wanted.begin(), wanted.end(), [&](int index) { return succeeded.contains(index); });
            if (count == nullptr) need = static_cast<std::int64_t>(wanted.size());
        }
        if (have >= need) return "Matched rules at index " + std::to_string(i);
    }
    return std::nullopt;
}

}  // namespace kubemu::controllers
