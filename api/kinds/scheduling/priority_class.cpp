// Rules of PriorityClass (kubernetes pkg/apis/scheduling/validation, pkg/registry/scheduling/priorityclass).
#include <nlohmann/json.hpp>

#include "api/kinds/define.h"
#include "api/kinds/validation.h"
#include "api/values/names.h"

namespace kubemu::api::kinds {
namespace {

constexpr std::int64_t user_value_max = 1000000000;

struct SystemClass {
    std::string_view name;
    std::int64_t value;
};
constexpr SystemClass system_classes[] = {{"system-node-critical", 2000001000},
                                          {"system-cluster-critical", 2000000000}};

const SystemClass* system_class(std::string_view name) {
    for (const SystemClass& known : system_classes) {
        if (known.name == name) return &known;
    }
    return nullptr;
}

// What keeps a class with a system's name from being one; empty when nothing does.
std::string system_complaint(const Json& object) {
    const std::string name(name_of(object));
    const SystemClass* known = system_class(name);
    if (known == nullptr) return name + " is not a known system priority class";
    if (int_at(object, {"value"}) != known->value) {
        return "value of " + name + " PriorityClass must be " + std::to_string(known->value);
    }
    if (bool_at(object, {"globalDefault"}))
        return "globalDefault of " + name + " PriorityClass must be false";
    return {};
}

void validate(const Json& object, const HookContext&, FieldErrors& errors) {
    if (name_of(object).starts_with("system-")) {
        if (const std::string wrong = system_complaint(object); !wrong.empty()) {
            errors.forbidden(
                FieldPath("metadata").child("name"),
                "priority class names with 'system-' prefix are reserved for system use only. error: " +
                    wrong);
        }
    } else if (int_at(object, {"value"}) > user_value_max) {
        errors.forbidden(FieldPath("value"), "maximum allowed value of a user defined priority is " +
                                                 std::to_string(user_value_max));
    }
    if (find(object, "preemptionPolicy") != nullptr) {
        validate_enum(string_at(object, {"preemptionPolicy"}), {"PreemptLowerPriority", "Never"},
                      FieldPath("preemptionPolicy"), errors);
    }
}

void validate_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    if (int_at(object, {"value"}) != int_at(old, {"value"}))
        errors.forbidden(FieldPath("value"), "may not be changed in an update.");
    validate_immutable(find(object, "preemptionPolicy"), find(old, "preemptionPolicy"),
                       FieldPath("preemptionPolicy"), errors);
}

ApiResult<bool> before_delete(const Json& object, const HookContext& context) {
    const std::string_view name = name_of(object);
    if (system_class(name) == nullptr) return true;
    return Status::forbidden(context.kind.group, context.kind.plural, name,
                             "this is a system priority class and cannot be deleted");
}

}  // namespace

KUBEMU_RULES(priority_class_rules){
    .validate_create = validate, .validate_update = validate_update, .before_delete = before_delete};

}  // namespace kubemu::api::kinds
