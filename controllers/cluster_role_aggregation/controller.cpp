// Gathering rules.
#include "controllers/cluster_role_aggregation/controller.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/kinds/rbac/views.h"
#include "api/selector/label.h"

namespace kubemu::controllers {
namespace {

constexpr const char* resource = "clusterroles.rbac.authorization.k8s.io";

const api::RoleView& role_view(const storage::Record& record) {
    return static_cast<const api::RoleView&>(api::view_of(record));
}

}  // namespace

ClusterRoleAggregationController::ClusterRoleAggregationController(Manager& manager)
    : Controller(manager, "clusterrole-aggregation", "clusterrole-aggregation-controller"), roles_(manager.informer(resource)) {
    // A change of any role may concern all that aggregate; which they are, their Views say.
    roles_.subscribe([this](const api::Informer::Change&) {
        for (const auto& role : roles_.list()) {
            if (role_view(*role).aggregates) enqueue(role->key);
        }
    });
}

api::ApiResult<Requeue> ClusterRoleAggregationController::reconcile(const std::string& key) {
    const auto record = roles_.get(key);
    if (!record || !role_view(*record).aggregates) return Requeue{};
    const api::Json role = client().document(*record);
    std::vector<api::PolicyRule> rules;
    for (const api::Json& selector : api::array_at(role, {"aggregationRule", "clusterRoleSelectors"})) {
        const api::LabelSelector labels = api::LabelSelector::from_object(selector);
        for (const auto& other : roles_.list()) {  // by name
            const api::RoleView& view = role_view(*other);
            if (view.name == key || !labels.matches(view.labels)) continue;
            for (const api::PolicyRule& rule : view.rules) {
                if (std::find(rules.begin(), rules.end(), rule) == rules.end()) rules.push_back(rule);
            }
        }
    }
    if (rules == role_view(*record).rules) return Requeue{};
    api::Json configuration = {{"apiVersion", "rbac.authorization.k8s.io/v1"}, {"kind", "ClusterRole"}};
    configuration["metadata"]["name"] = key;
    configuration["rules"] = api::Json::array();
    for (const api::PolicyRule& rule : rules) configuration["rules"].push_back(api::rule_to_document(rule));
    const auto applied = client().apply(kind(resource), {}, std::move(configuration), "clusterrole-aggregation-controller");
    if (!applied && applied.error().code() != 404) return applied.error();
    return Requeue{};
}

}  // namespace kubemu::controllers
