// Validation of reviews and their answers.
#include "api/authorization/access_reviews.h"

#include <nlohmann/json.hpp>

#include "api/selector/field.h"
#include "api/selector/label.h"
#include "api/values/field_errors.h"
#include "api/values/names.h"

namespace kubemu::api {
namespace {

constexpr std::string_view group = "authorization.k8s.io";

// ---------------------------------------------------------------- selectors

bool values_go_with(std::string_view operation, bool any) {
    if (operation == "In" || operation == "NotIn") return any;
    if (operation == "Exists" || operation == "DoesNotExist") return !any;
    return true;  // operators of clients that are newer than the server are left alone
}

void validate_selector(const Json* selector, const FieldPath& path, bool of_labels, FieldErrors& errors) {
    if (selector == nullptr) return;
    const std::string_view raw = string_at(*selector, {"rawSelector"});
    const Json& requirements = array_at(*selector, {"requirements"});
    if (!raw.empty() && !requirements.empty()) {
        errors.invalid(path.child("rawSelector"), std::string(raw), "may not specified at the same time as requirements");
    }
    if (raw.empty() && requirements.empty()) {
        errors.required(path.child("requirements"),
                        "when " + path.text() + " is specified, requirements or rawSelector is required");
    }
    std::size_t i = 0;
    for (const Json& requirement : requirements) {
        const FieldPath at = path.child("requirements").index(i++);
        const std::string_view operation = string_at(requirement, {"operator"}), key = string_at(requirement, {"key"});
        const bool any = !array_at(requirement, {"values"}).empty();
        if (!of_labels && key.empty()) errors.required(at.child("key"), "must be specified");
        if (!values_go_with(operation, any)) {
            if (any) errors.forbidden(at.child("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
            else errors.required(at.child("values"), "must be specified when `operator` is 'In' or 'NotIn'");
        }
        if (!of_labels) continue;
        for (const std::string& wrong : check_qualified_name(key)) errors.invalid(at.child("key"), std::string(key), wrong);
    }
}

// Of a selector that RBAC does not look at: whether an authorizer that does would have understood it.
std::string selector_error(const Json& attributes, const char* member, bool of_labels) {
    const Json* selector = find(attributes, member);
    if (selector == nullptr) return {};
    const std::string_view raw = string_at(*selector, {"rawSelector"});
    bool bad = !raw.empty() && (of_labels ? !LabelSelector::parse(raw).has_value() : !parse_field_selector(raw).has_value());
    bool good = false;
    for (const Json& requirement : array_at(*selector, {"requirements"})) {
        const std::string_view operation = string_at(requirement, {"operator"});
        const std::size_t values = array_at(requirement, {"values"}).size();
        const bool set = operation == "In" || operation == "NotIn";
        const bool presence = operation == "Exists" || operation == "DoesNotExist";
        const bool known = of_labels ? set || presence : set && values == 1;
        (known ? good : bad) = true;
    }
    if (!bad) return {};
    return std::string("spec.resourceAttributes.") + member + (good ? " partially" : "") + " ignored due to parse error";
}

// ---------------------------------------------------------------- validation

bool has_other_metadata(const Json& review, bool local) {
    for (const auto& [name, value] : object_at(review, {"metadata"}).items()) {
        if (name != "managedFields" && name != "creationTimestamp" && !(local && name == "namespace")) return true;
    }
    return false;
}

FieldErrors validate(const Json& review, std::string_view kind) {
    FieldErrors errors;
    const FieldPath spec("spec");
    const Json* resource = find(review, {"spec", "resourceAttributes"});
    const Json* other = find(review, {"spec", "nonResourceAttributes"});
    if (resource != nullptr && other != nullptr) {
        errors.invalid(spec.child("nonResourceAttributes"), *other, "cannot be specified in combination with resourceAttributes");
    }
    if (resource == nullptr && other == nullptr) {
        errors.invalid(spec.child("resourceAttributes"), "null",
                       "exactly one of nonResourceAttributes or resourceAttributes must be specified");
    }
    const bool self = kind == "SelfSubjectAccessReview", local = kind == "LocalSubjectAccessReview";
    if (!self && string_at(review, {"spec", "user"}).empty() && array_at(review, {"spec", "groups"}).empty()) {
        errors.invalid(spec.child("user"), "", "at least one of user or group must be specified");
    }
    if (resource != nullptr) {
        const FieldPath path("spec.resourceAttributes");
        validate_selector(find(*resource, "fieldSelector"), path.child("fieldSelector"), false, errors);
        validate_selector(find(*resource, "labelSelector"), path.child("labelSelector"), true, errors);
    }
    if (has_other_metadata(review, local)) {
        Json metadata = object_at(review, {"metadata"});
        erase(metadata, "managedFields");
        errors.invalid(FieldPath("metadata"), metadata, local ? "must be empty except for namespace" : "must be empty");
    }
    if (!local) return errors;
    if (resource != nullptr && string_at(*resource, {"namespace"}) != namespace_of(review)) {
        errors.invalid(FieldPath("spec.resourceAttributes.namespace"), std::string(string_at(*resource, {"namespace"})),
                       "must match metadata.namespace");
    }
    if (other != nullptr) {
        errors.invalid(FieldPath("spec.nonResourceAttributes"), *other, "disallowed on this kind of request");
    }
    return errors;
}

// ---------------------------------------------------------------- answers

User subject_of(const Json& spec) {
    User user{std::string(string_at(spec, {"user"})), std::string(string_at(spec, {"uid"})), {}, {}};
    for (const Json& name : array_at(spec, {"groups"})) user.groups.push_back(name.get<std::string>());
    for (const auto& [key, values] : object_at(spec, {"extra"}).items()) {
        for (const Json& value : values) user.extra[key].push_back(value.get<std::string>());
    }
    return user;
}

Attributes attributes_of(const Json& spec) {
    Attributes attributes;
    const Json* resource = find(spec, "resourceAttributes");
    const Json& from = resource != nullptr ? *resource : object_at(spec, {"nonResourceAttributes"});
    attributes.resource_request = resource != nullptr;
    attributes.verb = string_at(from, {"verb"});
    if (resource == nullptr) {
        attributes.path = string_at(from, {"path"});
        return attributes;
    }
    attributes.group = string_at(from, {"group"});
    attributes.version = string_at(from, {"version"}, "*");
    attributes.resource = string_at(from, {"resource"});
    attributes.subresource = string_at(from, {"subresource"});
    attributes.name = string_at(from, {"name"});
    attributes.namespace_name = string_at(from, {"namespace"});
    return attributes;
}

Json status_of(const Authorizer& authorizer, const User& user, const Json& spec) {
    const auto answer = authorizer.authorize(user, attributes_of(spec));
    Json status = {{"allowed", answer.allowed}};
    if (!answer.reason.empty()) status["reason"] = answer.reason;
    const Json& resource = object_at(spec, {"resourceAttributes"});
    std::string error = selector_error(resource, "fieldSelector", false);
    const std::string of_labels = selector_error(resource, "labelSelector", true);
    if (!error.empty() && !of_labels.empty()) error += "; ";
    error += of_labels;
    if (!error.empty()) status["evaluationError"] = error;
    return status;
}

ApiResult<Json> rules_review(const Authorizer& authorizer, const User& user, const Json& review, const Judge& judge) {
    const std::string_view space = string_at(review, {"spec", "namespace"});
    if (space.empty()) return Status::bad_request("no namespace on request");
    if (judge) TRY(judge(review));
    const Rbac::Grants grants = authorizer.grants_of(user, space);
    Json resources = Json::array(), others = Json::array();
    for (const PolicyRule& rule : grants.rules) {
        if (!rule.resources.empty()) resources.push_back(rule_to_document(rule));
        if (!rule.non_resource_urls.empty()) others.push_back(rule_to_document(rule));
    }
    // The answer is an object of its own, which repeats nothing of the question.
    Json answer = {{"spec", Json::object()}};
    answer["status"] = {{"resourceRules", std::move(resources)}, {"nonResourceRules", std::move(others)}, {"incomplete", false}};
    if (!grants.error.empty()) answer["status"]["evaluationError"] = grants.error;
    return answer;
}

}  // namespace

ApiResult<Json> answer_access_review(const Authorizer& authorizer, const User& user, std::string_view kind,
                                     std::string_view namespace_name, Json review, const Judge& judge) {
    if (kind == "SelfSubjectRulesReview") return rules_review(authorizer, user, review, judge);
    // Clients learn neither the kind nor a name: the real server asks an object that has none.
    if (const FieldErrors errors = validate(review, kind); !errors.empty()) return Status::invalid(group, {}, {}, errors);
    if (kind == "LocalSubjectAccessReview" && namespace_name.empty()) {
        return Status::bad_request("namespace is required on this type: ");
    }
    if (judge) TRY(judge(review));
    const Json spec = object_at(review, {"spec"});
    review["status"] = status_of(authorizer, kind == "SelfSubjectAccessReview" ? user : subject_of(spec), spec);
    return review;
}

}  // namespace kubemu::api
