// Rules of MutatingWebhookConfiguration and ValidatingWebhookConfiguration, in v1 and v1beta1.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "api/kinds/admissionregistration/admission_rules.h"
#include "api/kinds/define.h"
#include "api/kinds/domains.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/validation.h"
#include "api/kinds/webhook_client.h"
#include "api/values/names.h"
#include "api/values/text.h"

namespace kubemu::api::kinds {
namespace {

// What an object that is stored already, or a client of v1beta1, need not fulfil.
struct Strictness {
    bool no_side_effects = true;
    bool known_review_version = true;
    bool unique_names = true;
};

bool known_version(const Json& version) {
    return version == "v1" || version == "v1beta1";
}

Strictness strictness_after(const Json& old) {
    Strictness strict;
    std::set<std::string_view> names;
    for (const Json& hook : array_at(old, {"webhooks"})) {
        const std::string_view effects = string_at(hook, {"sideEffects"});
        if (effects != "None" && effects != "NoneOnDryRun") strict.no_side_effects = false;
        const Json& versions = array_at(hook, {"admissionReviewVersions"});
        if (!versions.empty() && std::none_of(versions.begin(), versions.end(), known_version))
            strict.known_review_version = false;
        if (!names.insert(string_at(hook, {"name"})).second) strict.unique_names = false;
    }
    return strict;
}

void validate_review_versions(const Json& versions, const Strictness& strict, const FieldPath& path,
                              FieldErrors& errors) {
    if (versions.empty()) return errors.required(path, "must specify one of v1, v1beta1");
    std::set<std::string> seen;
    bool known = false;
    for (std::size_t i = 0; i < versions.size(); ++i) {
        const std::string version = versions[i].is_string() ? versions[i].get<std::string>() : "";
        if (!seen.insert(version).second) {
            errors.invalid(path.index(i), version, "duplicate version");
            continue;
        }
        add_invalid(check_dns1035_label(version), path.index(i), version, errors);
        known = known || known_version(versions[i]);
    }
    if (strict.known_review_version && !known) {
        errors.invalid(path, go_strings("[]string", &versions), "must include at least one of v1, v1beta1");
    }
}

void validate_side_effects(const Json& hook, const Strictness& strict, const FieldPath& path,
                           FieldErrors& errors) {
    const std::vector<std::string> allowed =
        strict.no_side_effects ? std::vector<std::string>{"None", "NoneOnDryRun"}
                               : std::vector<std::string>{"None", "NoneOnDryRun", "Some", "Unknown"};
    if (find(hook, "sideEffects") == nullptr) {
        errors.required(path.child("sideEffects"), "must specify one of " + join(allowed, ", "));
    }
    validate_choice(hook, "sideEffects", false, allowed, path, errors);
}

void validate_webhook(const Json& hook, const Strictness& strict, const FieldPath& path,
                      FieldErrors& errors) {
    validate_fully_qualified_name(string_at(hook, {"name"}), path.child("name"), errors);
    const Json& rules = array_at(hook, {"rules"});
    for (std::size_t i = 0; i < rules.size(); ++i)
        validate_admission_rule(rules[i], path.child("rules").index(i), errors);
    validate_choice(hook, "failurePolicy", false, {"Fail", "Ignore"}, path, errors);
    validate_choice(hook, "matchPolicy", false, {"Equivalent", "Exact"}, path, errors);
    validate_side_effects(hook, strict, path, errors);
    if (const Json* seconds = find(hook, "timeoutSeconds"); seconds != nullptr && seconds->is_number()) {
        const auto value = seconds->get<std::int64_t>();
        if (value < 1 || value > 30) {
            errors.invalid(path.child("timeoutSeconds"), *seconds,
                           "the timeout value must be between 1 and 30 seconds");
        }
    }
    for (const char* member : {"namespaceSelector", "objectSelector"}) {
        if (const Json* selector = find(hook, member))
            validate_label_selector(*selector, path.child(member), errors);
    }
    validate_choice(hook, "reinvocationPolicy", false, {"IfNeeded", "Never"}, path, errors);
    validate_webhook_client(object_at(hook, {"clientConfig"}), path.child("clientConfig"), errors);
    validate_match_conditions(array_at(hook, {"matchConditions"}), false, path.child("matchConditions"), errors);
}

void validate_configuration(const Json& object, const Strictness& strict, FieldErrors& errors) {
    const Json& hooks = array_at(object, {"webhooks"});
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < hooks.size(); ++i) {
        const FieldPath path = FieldPath("webhooks").index(i);
        validate_webhook(hooks[i], strict, path, errors);
        validate_review_versions(array_at(hooks[i], {"admissionReviewVersions"}), strict,
                                 path.child("admissionReviewVersions"), errors);
        const std::string_view name = string_at(hooks[i], {"name"});
        if (strict.unique_names && !name.empty() && !names.insert(name).second) {
            errors.duplicate(path.child("name"), std::string(name));
        }
    }
}

void validate_create(const Json& object, const HookContext& context, FieldErrors& errors) {
    const bool beta = context.kind.version == "v1beta1";
    validate_configuration(object, beta ? Strictness{false, true, false} : Strictness{}, errors);
}

void validate_update(const Json& object, const Json& old, const HookContext& context, FieldErrors& errors) {
    Strictness strict = strictness_after(old);
    if (context.kind.version == "v1beta1") strict.no_side_effects = strict.unique_names = false;
    validate_configuration(object, strict, errors);
}

// There is no spec: the generation rises with the webhooks.
void prepare_for_update(Json& object, const Json& old, const HookContext&) {
    if (array_at(object, {"webhooks"}) == array_at(old, {"webhooks"})) return;
    object["metadata"]["generation"] = int_at(old, {"metadata", "generation"}) + 1;
}

}  // namespace

KUBEMU_RULES(webhook_configuration_rules){.prepare_for_update = prepare_for_update,
                                          .validate_create = validate_create,
                                          .validate_update = validate_update};

}  // namespace kubemu::api::kinds
