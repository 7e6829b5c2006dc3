// k8s.io/apiextensions-apiserver/pkg/controller/status/naming_controller.go
#include "controllers/apiextensions/names.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "api/values/text.h"

namespace kubemu::controllers {

NamingOutcome accept_names(const api::Json& definition, const std::vector<api::Json>& others, api::Json& accepted) {
    std::set<std::string> resources, kinds;
    for (const api::Json& names : others) {
        for (const char* name : {"plural", "singular"}) resources.emplace(api::string_at(names, {name}));
        for (const api::Json& name : api::array_at(names, {"shortNames"})) resources.insert(name.get<std::string>());
        for (const char* name : {"kind", "listKind"}) kinds.emplace(api::string_at(names, {name}));
    }
    const api::Json& wanted = api::object_at(definition, {"spec", "names"});
    const api::Json& had = api::object_at(definition, {"status", "acceptedNames"});
    NamingOutcome outcome;
    accepted = had;
    const auto refuse = [&outcome](std::string reason, std::string message) {
        outcome.all_accepted = false;
        outcome.reason = std::move(reason);
        outcome.message = std::move(message);
    };
    const auto in_use = [](std::string_view name) { return api::go_quote(name) + " is already in use"; };
    const auto settle = [&](const char* member, const std::set<std::string>& taken, const char* reason) {
        const std::string name(api::string_at(wanted, {member}));
        if (name != api::string_at(had, {member}) && taken.contains(name)) return refuse(reason, in_use(name));
        accepted[member] = name;
    };
    settle("plural", resources, "PluralConflict");
    settle("singular", resources, "SingularConflict");
    const api::Json &short_names = api::array_at(wanted, {"shortNames"}), &short_had = api::array_at(had, {"shortNames"});
    if (short_names != short_had) {
        std::vector<std::string> conflicts;
        for (const api::Json& name : short_names) {
            if (std::find(short_had.begin(), short_had.end(), name) != short_had.end()) continue;
            const std::string& text = name.get_ref<const std::string&>();
            if (resources.contains(text)) conflicts.push_back(in_use(text));
        }
        if (conflicts.size() == 1) refuse("ShortNamesConflict", conflicts[0]);
        else if (!conflicts.empty()) refuse("ShortNamesConflict", "[" + api::join(conflicts, ", ") + "]");
        else if (short_names.empty()) accepted.erase("shortNames");
        else accepted["shortNames"] = short_names;
    }
    settle("kind", kinds, "KindConflict");
    settle("listKind", kinds, "ListKindConflict");
    const api::Json& categories = api::array_at(wanted, {"categories"});
    if (categories.empty()) accepted.erase("categories");
    else accepted["categories"] = categories;
    return outcome;
}

}  // namespace kubemu::controllers
