// Rules of VolumeAttributesClasses: nothing of them changes.
#include <nlohmann/json.hpp>

#include "api/kinds/rules.h"
#include "api/kinds/storage/provisioner.h"

namespace kubemu::api::kinds {
namespace {

void validate(const Json& object, const HookContext&, FieldErrors& errors) {
    validate_provisioner(string_at(object, {"driverName"}), FieldPath("driverName"), errors);
    validate_parameters(object_at(object, {"parameters"}), false, FieldPath("parameters"), errors);
}

void validate_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    if (string_at(object, {"driverName"}) != string_at(old, {"driverName"})) {
        errors.forbidden(FieldPath("driverName"), "updates to driverName are forbidden.");
    }
    if (object_at(object, {"parameters"}) != object_at(old, {"parameters"})) {
        errors.forbidden(FieldPath("parameters"), "updates to parameters are forbidden.");
    }
}

}  // namespace

extern const KindRules volume_attributes_class_rules;
const KindRules volume_attributes_class_rules{.validate = validate, .validate_update = validate_update};

}  // namespace kubemu::api::kinds
