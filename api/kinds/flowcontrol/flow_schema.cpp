// Rules of FlowSchema.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "api/kinds/define.h"
#include "api/kinds/flowcontrol/flowcontrol.h"
#include "api/kinds/flowcontrol/status.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/validation.h"
#include "api/values/names.h"

namespace kubemu::api::kinds {
namespace {

constexpr std::int64_t precedence_max = 10000;

bool has_wildcard(const Json& list) {
    return std::find(list.begin(), list.end(), Json("*")) != list.end();
}

void validate_verbs(const Json& rule, const FieldPath& path, FieldErrors& errors) {
    const std::vector<std::string> supported = {"create", "delete", "deletecollection", "get",  "list",
                                                "patch",  "proxy",  "update",           "watch"};
    const Json& verbs = array_at(rule, {"verbs"});
    const auto known = [&supported](const Json& verb) {
        return verb.is_string() && std::find(supported.begin(), supported.end(),
                                             verb.get_ref<const std::string&>()) != supported.end();
    };
    if (verbs.empty()) {
        errors.required(path.child("verbs"), "verbs must contain at least one value");
    } else if (has_wildcard(verbs)) {
        if (verbs.size() > 1)
            errors.invalid(path.child("verbs"), go_strings("[]string", &verbs),
                           "if '*' is present, must not specify other verbs");
    } else if (!std::all_of(verbs.begin(), verbs.end(), known)) {
        errors.not_supported(path.child("verbs"), go_strings("[]string", &verbs), supported);
    }
}

// A list that must have something, in which '*' stands alone.
void validate_list(const Json& rule, const char* member, std::string_view missing, std::string_view others,
                   const FieldPath& path, FieldErrors& errors) {
    const Json& list = array_at(rule, {member});
    if (list.empty()) {
        errors.required(path.child(member), missing);
    } else if (list.size() > 1 && has_wildcard(list)) {
        errors.invalid(path.child(member), go_strings("[]string", &list),
                       "if '*' is present, must not specify other " + std::string(others));
    }
}

void validate_resource_rule(const Json& rule, const FieldPath& path, FieldErrors& errors) {
    validate_verbs(rule, path, errors);
    validate_list(rule, "apiGroups", "resource rules must supply at least one api group", "api groups", path,
                  errors);
    validate_list(rule, "resources", "resource rules must supply at least one resource", "resources", path,
                  errors);
    const Json& spaces = array_at(rule, {"namespaces"});
    const FieldPath at = path.child("namespaces");
    if (spaces.empty() && !bool_at(rule, {"clusterScope"})) {
        errors.required(at, "resource rules that are not cluster scoped must supply at least one namespace");
    } else if (has_wildcard(spaces)) {
        if (spaces.size() > 1)
            errors.invalid(at, go_strings("[]string", &spaces),
                           "if '*' is present, must not specify other namespaces");
    } else {
        for (std::size_t i = 0; i < spaces.size(); ++i) {
            const std::string name = spaces[i].is_string() ? spaces[i].get<std::string>() : "";
            for (const std::string& message : check_dns1123_label(name)) {
                errors.invalid(at.index(i), name,
                               "each member of this list must be '*' or a DNS-1123 label; " + message);
            }
        }
    }
}

void validate_url(const std::string& url, const FieldPath& path, FieldErrors& errors) {
    const auto stars = std::count(url.begin(), url.end(), '*');
    if (url.empty()) return errors.invalid(path, url, "must not be empty");
    if (url == "/") return;
    if (url[0] != '/') return errors.invalid(path, url, "must start with slash");
    if (url.find(' ') != std::string::npos) return errors.invalid(path, url, "must not contain white-space");
    if (url.find("//") != std::string::npos)
        return errors.invalid(path, url, "must not contain double slash");
    if (stars > 1 || (stars == 1 && !url.ends_with("/*")))
        errors.invalid(path, url, "wildcard can only do suffix matching");
}

void validate_non_resource_rule(const Json& rule, const FieldPath& path, FieldErrors& errors) {
    validate_verbs(rule, path, errors);
    validate_list(rule, "nonResourceURLs", "nonResourceURLs must contain at least one value",
                  "non-resource URLs", path, errors);
    const Json& urls = array_at(rule, {"nonResourceURLs"});
    if (has_wildcard(urls)) return;
    for (std::size_t i = 0; i < urls.size(); ++i) {
        validate_url(urls[i].is_string() ? urls[i].get<std::string>() : "",
                     path.child("nonResourceURLs").index(i), errors);
    }
}

void validate_account(const Json& account, const FieldPath& path, FieldErrors& errors) {
    const std::string_view name = string_at(account, {"name"}), space = string_at(account, {"namespace"});
    if (validate_required(name, path.child("name"), errors) && name != "*") {
        add_invalid(check_dns1123_subdomain(name), path.child("name"), name, errors);
    }
    if (space.empty())
        return errors.required(path.child("namespace"), "must specify namespace for service account");
    add_invalid(check_dns1123_label(space), path.child("namespace"), space, errors);
}

void validate_subject(const Json& subject, const FieldPath& path, FieldErrors& errors) {
    struct Kind {
        const char *name, *member;
    };
    constexpr Kind kinds[] = {{"ServiceAccount", "serviceAccount"}, {"User", "user"}, {"Group", "group"}};
    const std::string kind(string_at(subject, {"kind"}));
    const auto* own = std::find_if(std::begin(kinds), std::end(kinds),
                                   [&](const Kind& known) { return kind == known.name; });
    if (own == std::end(kinds))
        return errors.not_supported(path.child("kind"), kind, {"Group", "ServiceAccount", "User"});
    const Json* who = find(subject, own->member);
    if (who == nullptr) {
        errors.required(path.child(own->member),
                        std::string(own->member) + " is required when subject kind is '" + kind + "'");
    } else if (kind == "ServiceAccount") {
        validate_account(*who, path.child(own->member), errors);
    } else {
        validate_required(string_at(*who, {"name"}), path.child(own->member).child("name"), errors);
    }
    for (const Kind& other : kinds) {
        if (kind == other.name || find(subject, other.member) == nullptr) continue;
        errors.forbidden(
            path.child(other.member),
            std::string(other.member) + " is forbidden when subject kind is not '" + other.name + "'");
    }
}

void validate_rule(const Json& rule, const FieldPath& path, FieldErrors& errors) {
    const Json& subjects = array_at(rule, {"subjects"});
    if (subjects.empty()) errors.required(path.child("subjects"), "subjects must contain at least one value");
    for (std::size_t i = 0; i < subjects.size(); ++i)
        validate_subject(subjects[i], path.child("subjects").index(i), errors);
    const Json& resources = array_at(rule, {"resourceRules"});
    const Json& others = array_at(rule, {"nonResourceRules"});
    if (resources.empty() && others.empty()) {
        errors.required(path, "at least one of resourceRules and nonResourceRules has to be non-empty");
    }
    for (std::size_t i = 0; i < resources.size(); ++i)
        validate_resource_rule(resources[i], path.child("resourceRules").index(i), errors);
    for (std::size_t i = 0; i < others.size(); ++i)
        validate_non_resource_rule(others[i], path.child("nonResourceRules").index(i), errors);
}

// ---------------------------------------------------------------- the echo of a whole spec

std::string go_list(const Json& list, const std::string& type, std::string (*item)(const Json&)) {
    if (list.empty()) return "[]" + type + "(nil)";
    std::string text = "[]" + type + "{";
    for (const Json& element : list) text += (text.back() == '{' ? "" : ", ") + item(element);
    return text + "}";
}

std::string go_subject(const Json& subject) {
    constexpr GoField fields[] = {{"Kind", "kind", "string"},
                                  {"User", "user", "*flowcontrol.UserSubject"},
                                  {"Group", "group", "*flowcontrol.GroupSubject"},
                                  {"ServiceAccount", "serviceAccount", "*flowcontrol.ServiceAccountSubject"}};
    return go_struct("flowcontrol.Subject", fields, subject).text;
}

std::string go_resource_rule(const Json& rule) {
    constexpr GoField fields[] = {{"Verbs", "verbs", "[]string"},
                                  {"APIGroups", "apiGroups", "[]string"},
                                  {"Resources", "resources", "[]string"},
                                  {"ClusterScope", "clusterScope", "bool"},
                                  {"Namespaces", "namespaces", "[]string"}};
    return go_struct("flowcontrol.ResourcePolicyRule", fields, rule).text;
}

std::string go_non_resource_rule(const Json& rule) {
    constexpr GoField fields[] = {{"Verbs", "verbs", "[]string"},
                                  {"NonResourceURLs", "nonResourceURLs", "[]string"}};
    return go_struct("flowcontrol.NonResourcePolicyRule", fields, rule).text;
}

std::string go_rule(const Json& rule) {
    return "flowcontrol.PolicyRulesWithSubjects{Subjects:" +
           go_list(array_at(rule, {"subjects"}), "flowcontrol.Subject", go_subject) + ", ResourceRules:" +
           go_list(array_at(rule, {"resourceRules"}), "flowcontrol.ResourcePolicyRule", go_resource_rule) +
           ", NonResourceRules:" +
           go_list(array_at(rule, {"nonResourceRules"}), "flowcontrol.NonResourcePolicyRule",
                   go_non_resource_rule) +
           "}";
}

GoText go_spec(const Json& spec) {
    const Json level = object_at(spec, {"priorityLevelConfiguration"});
    constexpr GoField name[] = {{"Name", "name", "string"}};
    return {"flowcontrol.FlowSchemaSpec{PriorityLevelConfiguration:" +
            go_struct("flowcontrol.PriorityLevelConfigurationReference", name, level).text +
            ", MatchingPrecedence:" + std::to_string(int_at(spec, {"matchingPrecedence"})) +
            ", DistinguisherMethod:" +
            go_value("*flowcontrol.FlowDistinguisherMethod", find(spec, "distinguisherMethod")).text +
            ", Rules:" + go_list(array_at(spec, {"rules"}), "flowcontrol.PolicyRulesWithSubjects", go_rule) +
            "}"};
}

void validate(const Json& object, const HookContext&, FieldErrors& errors) {
    const FieldPath path("spec");
    const Json& spec = object_at(object, {"spec"});
    const std::string name(name_of(object));
    const std::int64_t precedence = int_at(spec, {"matchingPrecedence"});
    const FieldPath at = path.child("matchingPrecedence");
    if (precedence <= 0) errors.invalid(at, precedence, "must be a positive value");
    if (precedence > precedence_max) errors.invalid(at, precedence, "must not be greater than 10000");
    if (precedence == 1 && name != "exempt")
        errors.invalid(at, precedence, "only the schema named 'exempt' may have matchingPrecedence 1");
    if (const Json* method = find(spec, "distinguisherMethod")) {
        const std::string_view type = string_at(*method, {"type"});
        constexpr GoField fields[] = {{"Type", "type", "string"}};
        if (type != "ByNamespace" && type != "ByUser") {
            errors.not_supported(path.child("distinguisherMethod").child("type"),
                                 go_struct("flowcontrol.FlowDistinguisherMethod", fields, *method),
                                 {"ByNamespace", "ByUser"});
        }
    }
    const std::string_view level = string_at(spec, {"priorityLevelConfiguration", "name"});
    const FieldPath level_path = path.child("priorityLevelConfiguration").child("name");
    if (level.empty()) {
        errors.required(level_path, "must reference a priority level");
    } else {
        add_invalid(check_dns1123_subdomain(level), level_path, level, errors);
    }
    const Json& rules = array_at(spec, {"rules"});
    for (std::size_t i = 0; i < rules.size(); ++i)
        validate_rule(rules[i], path.child("rules").index(i), errors);
    for (std::size_t i = 0; i < mandatory_flow_control_objects; ++i) {
        const Json& known = bootstrap_flow_schemas()[i];
        if (name_of(known) == name && known.at("spec") != spec) {
            errors.invalid(path, go_spec(spec), "spec of '" + name + "' must equal the fixed value");
        }
    }
}

}  // namespace

void keep_flow_control_metadata(Json& object, const Json& old, const HookContext&) {
    // managedFields are the server's own and follow the write; everything else stays.
    Json kept = object_at(old, {"metadata"});
    if (const Json* owners = find(object, {"metadata", "managedFields"})) kept["managedFields"] = *owners;
    object["metadata"] = std::move(kept);
}

void validate_flow_control_status(const Json& object, const Json&, const HookContext&, FieldErrors& errors) {
    const FieldPath path = FieldPath("status").child("conditions");
    const Json& conditions = array_at(object, {"status", "conditions"});
    std::set<std::string_view> seen;
    for (std::size_t i = 0; i < conditions.size(); ++i) {
        const std::string_view type = string_at(conditions[i], {"type"});
        if (!seen.insert(type).second) errors.duplicate(path.index(i).child("type"), std::string(type));
        if (type.empty()) errors.required(path.index(i).child("type"), "");
    }
}

KUBEMU_RULES(flow_schema_rules){.prepare_for_status_update = keep_flow_control_metadata,
                                .validate = validate,
                                .validate_status_update = validate_flow_control_status};

}  // namespace kubemu::api::kinds
