// Rules of Lease.
#include <nlohmann/json.hpp>

#include "api/kinds/define.h"
#include "api/kinds/validation.h"
#include "api/values/names.h"

namespace kubemu::api::kinds {
namespace {

void validate(const Json& object, const HookContext&, FieldErrors& errors) {
    const FieldPath path("spec");
    const Json& spec = object_at(object, {"spec"});
    const Json* seconds = find(spec, "leaseDurationSeconds");
    if (seconds != nullptr && int_at(spec, {"leaseDurationSeconds"}) <= 0) {
        errors.invalid(path.child("leaseDurationSeconds"), *seconds, "must be greater than 0");
    }
    validate_non_negative(spec, "leaseTransitions", path, errors);
    const std::string_view strategy = string_at(spec, {"strategy"});
    if (!strategy.empty())
        add_invalid(check_qualified_name(strategy), path.child("strategy"), strategy, errors);
    if (strategy.empty() && !string_at(spec, {"preferredHolder"}).empty()) {
        errors.forbidden(path.child("preferredHolder"), "may only be specified if `strategy` is defined");
    }
}

}  // namespace

KUBEMU_RULES(lease_rules){.validate = validate};

}  // namespace kubemu::api::kinds
