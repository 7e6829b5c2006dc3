// Rules and selectors.
#include "api/admission/request_match.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/admission/request_words.h"
#include "api/kind_registry.h"
#include "api/selector/label.h"

namespace kubemu::api {
namespace {

bool lists(const Json& list, std::string_view value) {
    return std::any_of(list.begin(), list.end(), [value](const Json& entry) { return entry == "*" || entry == value; });
}

bool scope_matches(const Json& rule, const AdmissionRequest& request) {
    const std::string_view scope = string_at(rule, {"scope"}, "*");
    if (scope == "*") return true;
    const bool inside = !request.is("namespaces") && !admission_namespace(request).empty();
    return (scope == "Namespaced") == inside;
}

// "pods/log", "*/scale", "pods/*"; a resource alone, or *, leaves out subresources.
bool resource_matches(const Json& resources, std::string_view resource, std::string_view subresource) {
    return std::any_of(resources.begin(), resources.end(), [&](const Json& entry) {
        if (!entry.is_string()) return false;
        const std::string_view text = entry.get_ref<const std::string&>();
        const std::size_t slash = text.find('/');
        const std::string_view left = text.substr(0, slash);
        const std::string_view right = slash == std::string_view::npos ? std::string_view() : text.substr(slash + 1);
        return (left == "*" || left == resource) && (right == "*" || right == subresource);
    });
}

bool has_labels(const Json* object, const LabelSelector& selector) {
    return object != nullptr && selector.matches(labels_of(object_at(*object, {"metadata", "labels"})));
}

}  // namespace

bool rule_matches(const Json& rule, const AdmissionRequest& request, const KindSpec& kind) {
    const Json& names = array_at(rule, {"resourceNames"});
    if (!names.empty() && std::find(names.begin(), names.end(), request.name) == names.end()) return false;
    return scope_matches(rule, request) && lists(array_at(rule, {"operations"}), operation_word(request.operation)) &&
           lists(array_at(rule, {"apiGroups"}), kind.group) && lists(array_at(rule, {"apiVersions"}), kind.version) &&
           resource_matches(array_at(rule, {"resources"}), kind.plural, request.subresource);
}

const KindSpec* matching_kind(const Json& rules, std::string_view match_policy, const AdmissionRequest& request) {
    for (const Json& rule : rules) {
        if (rule_matches(rule, request, request.kind)) return &request.kind;
    }
    if (match_policy == "Exact") return nullptr;
    for (const KindSpec* other : request.kinds.all()) {
        if (other == &request.kind || other->resource != request.kind.resource) continue;
        if (!request.subresource.empty() && other->subresource(request.subresource) == nullptr) continue;
        for (const Json& rule : rules) {
            if (rule_matches(rule, request, *other)) return other;
        }
    }
    return nullptr;
}

ApiResult<bool> namespace_matches(const Json* selector, const AdmissionRequest& request) {
    if (selector == nullptr) return true;
    const std::string_view space = admission_namespace(request);
    if (space.empty() && !request.is("namespaces")) return true;
    const LabelSelector wanted = LabelSelector::from_object(*selector);
    if (wanted.empty()) return true;
    // A namespace that is being written is what it will be.
    if (request.is("namespaces") && request.subresource.empty() && request.object != nullptr) {
        return has_labels(request.object, wanted);
    }
    const storage::RecordPtr record = request.lookup.get("namespaces", {}, space);
    if (record == nullptr) return Status::not_found({}, "namespaces", space);
    const Json found = request.lookup.document(*record);
    return has_labels(&found, wanted);
}

bool object_matches(const Json* selector, const AdmissionRequest& request) {
    if (selector == nullptr) return true;
    const LabelSelector wanted = LabelSelector::from_object(*selector);
    return wanted.empty() || has_labels(request.object, wanted) || has_labels(request.old, wanted);
}

ApiResult<const KindSpec*> match_resources(const Json& match, const AdmissionRequest& request) {
    const auto in_namespace = namespace_matches(find(match, "namespaceSelector"), request);
    if (in_namespace && !*in_namespace) return static_cast<const KindSpec*>(nullptr);
    if (!object_matches(find(match, "objectSelector"), request)) return static_cast<const KindSpec*>(nullptr);
    const std::string_view policy = string_at(match, {"matchPolicy"}, "Equivalent");
    if (matching_kind(array_at(match, {"excludeResourceRules"}), policy, request) != nullptr) {
        return static_cast<const KindSpec*>(nullptr);
    }
    const Json& rules = array_at(match, {"resourceRules"});
    const KindSpec* kind = rules.empty() ? &request.kind : matching_kind(rules, policy, request);
    // A missing namespace matters to those alone who are for the request.
    if (kind != nullptr && !in_namespace) return in_namespace.error();
    return kind;
}

bool is_exempt(const KindSpec& kind) {
    if (kind.group != "admissionregistration.k8s.io") return false;
    static constexpr std::string_view exempt[] = {
        "validatingwebhookconfigurations",   "mutatingwebhookconfigurations",   "validatingadmissionpolicies",
        "validatingadmissionpolicybindings", "mutatingadmissionpolicies",       "mutatingadmissionpolicybindings"};
    return std::find(std::begin(exempt), std::end(exempt), kind.plural) != std::end(exempt);
}

bool exempt_from_policies(const KindSpec& kind) {
    return is_exempt(kind) || kind.group == "authentication.k8s.io" || kind.group == "authorization.k8s.io";
}

}  // namespace kubemu::api
