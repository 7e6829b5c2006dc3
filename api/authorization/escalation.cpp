// Who may grant what.
#include "api/authorization/escalation.h"

#include <nlohmann/json.hpp>
#include <set>

#include "api/authorization/authorizer.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

constexpr std::string_view rbac_group = "rbac.authorization.k8s.io";

// Garbage collection may go on with objects whose author has lost the rights that they grant.
bool only_collector_fields_differ(Json object, const Json& old) {
    for (const char* member : {"ownerReferences", "finalizers", "managedFields"}) {
        Json& metadata = object["metadata"];
        if (const Json* before = find(old, {"metadata", member})) {
            metadata[member] = *before;
        } else {
            erase(metadata, member);
        }
    }
    return object == old;
}

bool may(const AdmissionRequest& request, const char* verb, std::string_view resource, std::string_view name) {
    Attributes attributes;
    attributes.verb = verb;
    attributes.resource_request = true;
    attributes.group = rbac_group;
    attributes.version = "*";
    attributes.resource = resource;
    attributes.name = name;
    attributes.namespace_name = request.namespace_name;
    return request.authorizer->authorize(request.user, attributes).allowed;
}

Status refusal(const AdmissionRequest& request, std::string_view why) {
    return Status::forbidden(rbac_group, request.kind.plural, name_of(*request.object), why);
}

ApiResult<bool> confirm_held(const AdmissionRequest& request, const std::vector<PolicyRule>& wanted) {
    const Rbac::Grants held = request.authorizer->rbac().grants_of(request.user, request.namespace_name);
    const std::vector<PolicyRule> missing = compact_rules(uncovered_rules(held.rules, wanted));
    if (missing.empty()) return true;
    std::set<std::string> lines;
    for (const PolicyRule& rule : missing) lines.insert(rule.compact_text());
    std::string why = "user " + go_quote(request.user.name) + " (groups=" + go_quote_list(request.user.groups) +
                      ") is attempting to grant RBAC permissions not currently held:\n" +
                      join(std::vector<std::string>(lines.begin(), lines.end()), "\n");
    if (!held.error.empty()) why += "; resolution errors: [" + held.error + "]";
    return refusal(request, why);
}

ApiResult<bool> confirm_role(const AdmissionRequest& request) {
    // The name in the URL: a creation has none there.
    const std::string_view name = request.old == nullptr ? std::string_view() : request.name;
    if (may(request, "escalate", request.kind.plural, name)) return true;
    const Json& object = *request.object;
    TRY(confirm_held(request, rules_from(array_at(object, {"rules"}))));
    const auto aggregates = [](const Json& role) {
        return !array_at(role, {"aggregationRule", "clusterRoleSelectors"}).empty();
    };
    // It gathers what others write, later too.
    if (!aggregates(object) && (request.old == nullptr || !aggregates(*request.old))) return true;
    const std::vector<PolicyRule> everything = {{{"*"}, {"*"}, {"*"}, {}, {}}, {{"*"}, {}, {}, {}, {"*"}}};
    if (!confirm_held(request, everything)) {
        return refusal(request, "must have cluster-admin privileges to use the aggregationRule");
    }
    return true;
}

ApiResult<bool> confirm_binding(const AdmissionRequest& request) {
    const std::string_view kind = string_at(*request.object, {"roleRef", "kind"});
    const std::string_view name = string_at(*request.object, {"roleRef", "name"});
    // Validation says what is wrong with any other kind.
    if (kind != "Role" && kind != "ClusterRole") return true;
    if (may(request, "bind", kind == "Role" ? "roles" : "clusterroles", name)) return true;
    TRY_ASSIGN(const auto rules, request.authorizer->rbac().rules_of_role(kind, name, request.namespace_name));
    return confirm_held(request, rules);
}

}  // namespace

ApiResult<bool> refuse_escalation(AdmissionRequest& request) {
    if (request.kind.group != rbac_group || request.object == nullptr || request.authorizer == nullptr) return true;
    if (request.user.in_group(masters_group)) return true;
    if (request.old != nullptr && only_collector_fields_differ(*request.object, *request.old)) return true;
    const bool role = request.kind.kind == "Role" || request.kind.kind == "ClusterRole";
    return role ? confirm_role(request) : confirm_binding(request);
}

}  // namespace kubemu::api
