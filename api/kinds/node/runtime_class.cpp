// Rules of RuntimeClass.
#include <nlohmann/json.hpp>

#include "api/kinds/core/pod_checks.h"
#include "api/kinds/define.h"
#include "api/kinds/node_label_warnings.h"
#include "api/kinds/validation.h"
#include "api/values/names.h"

namespace kubemu::api::kinds {
namespace {

void validate(const Json& object, const HookContext&, FieldErrors& errors) {
    const std::string_view handler = string_at(object, {"handler"});
    add_invalid(check_name_as_label(handler, false), FieldPath("handler"), handler, errors);
    // The overhead is checked as if it were the limits of a container.
    const FieldPath limits = FieldPath("overhead").child("limits");
    for (const auto& [name, amount] : object_at(object, {"overhead", "podFixed"}).items()) {
        validate_container_resource_name(name, limits.key(name), errors);
        validate_resource_quantity(name, quantity_of(&amount), limits.key(name), errors);
    }
    const FieldPath scheduling("scheduling");
    if (const Json* labels = find(object, {"scheduling", "nodeSelector"})) {
        validate_labels(*labels, scheduling.child("nodeSelector"), errors);
    }
    pods::validate_tolerations(array_at(object, {"scheduling", "tolerations"}),
                               scheduling.child("tolerations"), errors);
}

void validate_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    validate_immutable(find(object, "handler"), find(old, "handler"), FieldPath("handler"), errors);
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
