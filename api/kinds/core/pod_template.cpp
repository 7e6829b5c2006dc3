// Rules of PodTemplates.
#include <nlohmann/json.hpp>

#include "api/kinds/core/pod_spec.h"
#include "api/kinds/rules.h"

namespace kubemu::api::kinds {
namespace {

void set_defaults(Json& object, const HookContext&) {
    if (Json* spec = find(object, {"template", "spec"})) default_pod_spec(*spec);
}

void validate(const Json& object, const HookContext&, FieldErrors& errors) {
    validate_pod_spec(object_at(object, {"template", "spec"}), FieldPath("template.spec"), errors);
}

}  // namespace

extern const KindRules pod_template_rules;
const KindRules pod_template_rules{.set_defaults = set_defaults, .validate = validate};

}  // namespace kubemu::api::kinds
