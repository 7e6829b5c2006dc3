// Views of roles and bindings from their documents.
#include "api/kinds/rbac/views.h"

#include <nlohmann/json.hpp>

namespace kubemu::api {

std::shared_ptr<ObjectView> project_role(const Json& object) {
    auto view = std::make_shared<RoleView>();
    view->rules = rules_from(array_at(object, {"rules"}));
    view->aggregates = find(object, "aggregationRule") != nullptr;
    return view;
}

std::shared_ptr<ObjectView> project_binding(const Json& object) {
    auto view = std::make_shared<BindingView>();
    view->role_kind = string_at(object, {"roleRef", "kind"});
    view->role_name = string_at(object, {"roleRef", "name"});
    for (const Json& subject : array_at(object, {"subjects"})) {
        view->subjects.push_back({std::string(string_at(subject, {"kind"})), std::string(string_at(subject, {"name"})),
                                  std::string(string_at(subject, {"namespace"}))});
    }
    return view;
}

}  // namespace kubemu::api
