// Differences of objects, member by member.
#include "api/kinds/go_diff.h"

#include <cctype>
#include <nlohmann/json.hpp>
#include <set>

#include "api/values/text.h"

namespace kubemu::api {
namespace {

std::string go_name(std::string_view member) {
    std::string name(member);
    if (!name.empty()) name[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[0])));
    return name;
}

std::string go_text(const Json& value) {
    if (value.is_string()) return go_quote(value.get_ref<const std::string&>());
    if (!value.is_structured()) return value.is_null() ? "nil" : value.dump();
    std::string text = "{";
    bool first = true;
    for (const auto& [key, item] : value.items()) {
        if (!first) text += ", ";
        first = false;
        if (value.is_object()) text += go_name(key) + ": ";
        text += go_text(item);
    }
    return text + "}";
}

}  // namespace

std::string go_diff(std::string_view type, const Json& before, const Json& after) {
    std::set<std::string> members;
    for (const Json* side : {&before, &after}) {
        if (!side->is_object()) continue;
        for (const auto& [key, value] : side->items()) members.insert(key);
    }
    std::string text = "  " + std::string(type) + "{\n";
    std::size_t same = 0;
    for (const std::string& member : members) {
        const Json* was = find(before, member);
        const Json* is = find(after, member);
        if (was != nullptr && is != nullptr && *was == *is) {
            ++same;
            continue;
        }
        text += "- \t" + go_name(member) + ": " + (was == nullptr ? "nil" : go_text(*was)) + ",\n";
        text += "+ \t" + go_name(member) + ": " + (is == nullptr ? "nil" : go_text(*is)) + ",\n";
    }
    if (same > 0) text += "  \t... // " + std::to_string(same) + " identical fields\n";
    return text + "  }\n";
}

}  // namespace kubemu::api
