// Reconciliation of the default policy with what is stored.
#include "controllers/bootstrap/rbac_policy.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/client.h"
#include "api/kinds/rbac/views.h"
#include "api/values/text.h"
#include "controllers/bootstrap/bootstrap.h"
#include "storage/base/log.h"

namespace kubemu::controllers {
namespace {

using api::Json;

constexpr const char* api_group = "rbac.authorization.k8s.io";
constexpr const char* auto_update = "rbac.authorization.kubernetes.io/autoupdate";

std::vector<std::string> words(std::string_view text) {
    std::vector<std::string> out;
    for (const std::string_view word : api::split(text, ' ')) {
        if (!word.empty()) out.emplace_back(word);
    }
    return out;
}

api::PolicyRule rule_of_line(const std::string& line) {
    const auto parts = api::split(line, '|');
    api::PolicyRule rule;
    rule.verbs = words(parts[0]);
    if (parts.size() == 2) {
        rule.non_resource_urls = words(parts[1]);
        return rule;
    }
    rule.api_groups = words(parts[1]);
    for (std::string& group : rule.api_groups) {
        if (group == "core") group.clear();
    }
    rule.resources = words(parts[2]);
    if (parts.size() > 3) rule.resource_names = words(parts[3]);
    return rule;
}

std::vector<api::PolicyRule> rules_of(std::string_view text) {
    std::vector<std::string> lines;
    for (const std::string_view line : api::split(text, '\n')) {
        if (line.empty()) continue;
        if (line[0] == ' ' && !lines.empty()) lines.back() += line;
        else lines.emplace_back(line);
    }
    std::vector<api::PolicyRule> rules;
    for (const std::string& line : lines) rules.push_back(rule_of_line(line));
    return rules;
}

Json named(std::string_view name) {
    Json object;
    object["metadata"]["name"] = name;
    object["metadata"]["labels"]["kubernetes.io/bootstrapping"] = "rbac-defaults";
    object["metadata"]["annotations"][auto_update] = "true";
    return object;
}

Json role_document(const BootstrapRole& role) {
    Json object = named(role.name);
    const std::string aggregate = "rbac.authorization.k8s.io/aggregate-to-";
    if (!role.aggregate_to.empty()) object["metadata"]["labels"][aggregate + std::string(role.aggregate_to)] = "true";
    if (!role.aggregates.empty()) {
        Json selector;
        selector["matchLabels"][aggregate + std::string(role.aggregates)] = "true";
        object["aggregationRule"]["clusterRoleSelectors"] = Json::array({std::move(selector)});
        return object;
    }
    object["rules"] = Json::array();
    for (const api::PolicyRule& rule : rules_of(role.rules)) object["rules"].push_back(api::rule_to_document(rule));
    return object;
}

Json subject_document(std::string_view text) {
    const std::size_t blank = text.find(' ');
    const std::string_view kind = text.substr(0, blank), name = text.substr(blank + 1);
    if (kind != "ServiceAccount") return {{"kind", kind}, {"apiGroup", api_group}, {"name", name}};
    const std::size_t slash = name.find('/');
    return {{"kind", kind}, {"name", name.substr(slash + 1)}, {"namespace", name.substr(0, slash)}};
}

Json binding_document(const BootstrapBinding& binding) {
    Json object = named(binding.name);
    const char* kind = binding.namespace_name.empty() ? "ClusterRole" : "Role";
    object["roleRef"] = {{"apiGroup", api_group}, {"kind", kind}, {"name", binding.role}};
    for (const std::string_view subject : api::split(binding.subjects, ',')) {
        if (!api::trim(subject).empty()) object["subjects"].push_back(subject_document(api::trim(subject)));
    }
    return object;
}

// Labels and annotations that are there stay as they are.
bool add_metadata(Json& object, const Json& wanted) {
    bool added = false;
    for (const char* member : {"labels", "annotations"}) {
        for (const auto& [key, value] : wanted.at("metadata").at(member).items()) {
            Json& map = api::ensure(object, {"metadata", member});
            if (map.contains(key)) continue;
            map[key] = value;
            added = true;
        }
    }
    return added;
}

// Each that is wanted and not there.
bool add_members(Json& list, const Json& wanted) {
    bool added = false;
    if (!list.is_array()) list = Json::array();
    for (const Json& one : wanted) {
        if (std::find(list.begin(), list.end(), one) != list.end()) continue;
        list.push_back(one);
        added = true;
    }
    return added;
}

bool add_rules(Json& object, const Json& wanted) {
    const auto held = api::rules_from(api::array_at(object, {"rules"}));
    const auto missing = api::uncovered_rules(held, api::rules_from(api::array_at(wanted, {"rules"})));
    if (missing.empty()) return false;
    Json& rules = object["rules"];
    if (!rules.is_array()) rules = Json::array();
    for (const api::PolicyRule& rule : missing) rules.push_back(api::rule_to_document(rule));
    return true;
}

bool mend(Json& object, const Json& wanted) {
    if (api::string_at(object, {"metadata", "annotations", auto_update}) == "false") return false;
    bool changed = add_metadata(object, wanted);
    if (wanted.contains("roleRef")) return add_members(object["subjects"], api::array_at(wanted, {"subjects"})) || changed;
    changed = add_rules(object, wanted) || changed;
    const Json& selectors = api::array_at(wanted, {"aggregationRule", "clusterRoleSelectors"});
    if (!selectors.empty()) {
        return add_members(api::ensure(object, {"aggregationRule"})["clusterRoleSelectors"], selectors) || changed;
    }
    if (object.contains("aggregationRule")) {
        object.erase("aggregationRule");
        changed = true;
    }
    return changed;
}

class Reconciler {
  public:
    explicit Reconciler(api::Registry& registry) : registry_(registry), client_(registry, api_server_user(), "kube-apiserver/v1") {}

    void reconcile(const char* resource, std::string_view namespace_name, Json wanted) {
        const api::KindSpec& kind = registry_.kinds().stored(resource);
        const std::string name(api::name_of(wanted));
        const auto existing = registry_.get(resource, namespace_name, name);
        if (existing != nullptr && other_role(*existing, wanted)) {
            report(client_.remove(kind, namespace_name, name), name);
            report(client_.create(kind, namespace_name, std::move(wanted)), name);
        } else if (existing != nullptr) {
            report(client_.modify(kind, namespace_name, name, {}, [&](Json& object) { return mend(object, wanted); }), name);
        } else {
            report(client_.create(kind, namespace_name, std::move(wanted)), name);
        }
    }

  private:
    // What a binding refers to cannot be changed: it is made anew.
    bool other_role(const storage::Record& existing, const Json& wanted) const {
        if (!wanted.contains("roleRef")) return false;
        const auto& view = static_cast<const api::BindingView&>(api::view_of(existing));
        if (view.role_kind == api::string_at(wanted, {"roleRef", "kind"}) &&
            view.role_name == api::string_at(wanted, {"roleRef", "name"})) {
            return false;
        }
        const Json object = registry_.document(existing);
        return api::string_at(object, {"metadata", "annotations", auto_update}) != "false";
    }

    template <class T>
    void report(const api::ApiResult<T>& result, const std::string& name) {
        if (result) return;
        log_line(LogLevel::error, "a default role or binding could not be kept up", {{"name", name}, {"error", result.error()->message}});
    }

    api::Registry& registry_;
    api::Client client_;
};

}  // namespace

void reconcile_rbac_policy(api::Registry& registry) {
    Reconciler reconciler(registry);
    const auto kind = [](std::string_view namespace_name, const char* cluster_wide, const char* within) {
        return namespace_name.empty() ? cluster_wide : within;
    };
    for (const auto& roles : {bootstrap_cluster_roles(), bootstrap_controller_roles(), bootstrap_namespace_roles()}) {
        for (const BootstrapRole& role : roles) {
            reconciler.reconcile(kind(role.namespace_name, "clusterroles.rbac.authorization.k8s.io", "roles.rbac.authorization.k8s.io"),
                                 role.namespace_name, role_document(role));
        }
    }
    const auto bind = [&](const BootstrapBinding& binding) {
        reconciler.reconcile(
            kind(binding.namespace_name, "clusterrolebindings.rbac.authorization.k8s.io", "rolebindings.rbac.authorization.k8s.io"),
            binding.namespace_name, binding_document(binding));
    };
    for (const BootstrapBinding& binding : bootstrap_bindings()) bind(binding);
    for (const BootstrapRole& role : bootstrap_controller_roles()) {
        const std::string account = "ServiceAccount kube-system/" + std::string(role.name.substr(role.name.rfind(':') + 1));
        bind({role.name, {}, role.name, account});
    }
}

}  // namespace kubemu::controllers
