// Rules of storage classes.
#include <nlohmann/json.hpp>

#include "api/kinds/rules.h"
#include "api/values/names.h"

namespace kubemu::api::kinds {
namespace {

// ---------------------------------------------------------------- StorageClass

void storage_class_validate(const Json& object, const HookContext&, FieldErrors& errors) {
    if (string_at(object, {"provisioner"}).empty()) errors.required(FieldPath("provisioner"), "");
}

}  // namespace

#define KUBEMU_RULES(name) extern const KindRules name; const KindRules name
KUBEMU_RULES(storage_class_rules){.validate = storage_class_validate};

}  // namespace kubemu::api::kinds
