// One condition of its type in the list.
#include "api/kinds/core/disruption_target.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace kubemu::api {

void set_disruption_target(Json& pod, std::string_view reason, std::string_view message, std::string_view time) {
    constexpr std::string_view type = "DisruptionTarget";
    Json& conditions = ensure(pod, {"status"})["conditions"];
    if (!conditions.is_array()) conditions = Json::array();
    Json target = {{"type", std::string(type)}, {"status", "True"}, {"reason", std::string(reason)},
                   {"message", std::string(message)}, {"lastTransitionTime", std::string(time)}};
    const auto known = std::find_if(conditions.begin(), conditions.end(),
                                    [&](const Json& condition) { return string_at(condition, {"type"}) == type; });
    if (known != conditions.end()) *known = std::move(target);
    else conditions.push_back(std::move(target));
}

}  // namespace kubemu::api
