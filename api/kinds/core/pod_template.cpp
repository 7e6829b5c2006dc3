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
    validate_pod_template(object_at(object, {"template"}), FieldPath("template"), errors);
}

void warnings(const Json& object, const Json* old, const HookContext&, std::vector<std::string>& all) {
    if (old != nullptr && object_at(object, {"template"}) == object_at(*old, {"template"})) return;
    warn_of_pod_template(object_at(object, {"template"}), FieldPath("template"), all);
}

}  // namespace

extern const KindRules pod_template_rules;
const KindRules pod_template_rules{.set_defaults = set_defaults, .validate = validate, .warnings = warnings};

}  // namespace kubemu::api::kinds
