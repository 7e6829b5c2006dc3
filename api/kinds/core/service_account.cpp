// Rules of ServiceAccounts: of a Secret they name, nothing but the name is kept.
#include <nlohmann/json.hpp>

#include "api/kinds/rules.h"

namespace kubemu::api::kinds {
namespace {

constexpr const char* enforce_annotation = "kubernetes.io/enforce-mountable-secrets";

void keep_names_of_secrets(Json& object) {
    Json* secrets = find(object, "secrets");
    if (secrets == nullptr || !secrets->is_array()) return;
    for (Json& secret : *secrets) {
        const std::string name(string_at(secret, {"name"}));
        secret = Json::object();
        if (!name.empty()) secret["name"] = name;
    }
}

void prepare_for_create(Json& object, const HookContext&) {
    keep_names_of_secrets(object);
}
void prepare_for_update(Json& object, const Json&, const HookContext&) {
    keep_names_of_secrets(object);
}

void warnings(const Json& object, const Json* old, const HookContext&, std::vector<std::string>& out) {
    const auto annotated = [](const Json& account) {
        return find(object_at(account, {"metadata", "annotations"}), enforce_annotation) != nullptr;
    };
    if ((old != nullptr && annotated(*old)) || !annotated(object)) return;
    out.push_back(std::string("metadata.annotations[") + enforce_annotation +
                  "]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets");
}

}  // namespace

extern const KindRules service_account_rules;
const KindRules service_account_rules{
    .prepare_for_create = prepare_for_create, .prepare_for_update = prepare_for_update, .warnings = warnings};

}  // namespace kubemu::api::kinds
