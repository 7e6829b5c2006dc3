// Rules of RuntimeClass.
#include <nlohmann/json.hpp>
#include <set>

#include "api/kinds/core/pod_checks.h"
#include "api/kinds/define.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/node_label_warnings.h"
#include "api/kinds/validation.h"
#include "api/values/names.h"

namespace kubemu::api::kinds {
namespace {

// No toleration twice, whatever their times.
void validate_different(const Json& tolerations, const FieldPath& path, FieldErrors& errors) {
    constexpr GoField fields[] = {{"Key", "key", "string"},
                                  {"Operator", "operator", "string"},
                                  {"Value", "value", "string"},
                                  {"Effect", "effect", "string"},
                                  {"TolerationSeconds", "tolerationSeconds", "*int64"}};
    std::set<std::string> seen;
    std::size_t i = 0;
    for (const Json& toleration : tolerations) {
        const FieldPath at = path.index(i++);
        std::string key;
        for (const char* member : {"key", "operator", "value", "effect"}) {
            key += std::string(string_at(toleration, {member})) + '\n';
        }
        if (!seen.insert(key).second) errors.duplicate(at, go_struct("core.Toleration", fields, toleration));
    }
}

void validate(const Json& object, const HookContext&, FieldErrors& errors) {
    const std::string_view handler = string_at(object, {"handler"});
    if (validate_required(handler, FieldPath("handler"), errors)) {
        add_invalid(check_name_as_label(handler, false), FieldPath("handler"), handler, errors);
    }
    // The overhead is checked as if it were the limits of a container.
    const Json limits{{"limits", object_at(object, {"overhead", "podFixed"})}};
    pods::validate_resources(limits, {}, pods::ResourceLevel::container, FieldPath("overhead"), errors);
    const FieldPath scheduling("scheduling");
    if (const Json* labels = find(object, {"scheduling", "nodeSelector"})) {
        validate_labels(*labels, scheduling.child("nodeSelector"), errors);
    }
    const Json& tolerations = array_at(object, {"scheduling", "tolerations"});
    pods::validate_tolerations(tolerations, scheduling.child("tolerations"), errors);
    validate_different(tolerations, scheduling.child("tolerations"), errors);
}

void validate_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    validate_immutable_text(string_at(object, {"handler"}), string_at(old, {"handler"}), FieldPath("handler"), errors);
}

void warnings(const Json& object, const Json*, const HookContext&, std::vector<std::string>& out) {
    for (const auto& [label, value] : object_at(object, {"scheduling", "nodeSelector"}).items()) {
        const std::string_view why = deprecated_node_label(label);
        if (!why.empty()) out.push_back("scheduling.nodeSelector: " + std::string(why));
    }
}

}  // namespace

KUBEMU_RULES(runtime_class_rules){.validate = validate, .validate_update = validate_update, .warnings = warnings};

}  // namespace kubemu::api::kinds
