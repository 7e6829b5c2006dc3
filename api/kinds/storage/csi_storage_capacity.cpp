// Rules of CSIStorageCapacities: what the driver was asked about does not change.
#include <nlohmann/json.hpp>

#include "api/kinds/go_syntax.h"
#include "api/kinds/rules.h"
#include "api/kinds/validation.h"
#include "api/values/names.h"

namespace kubemu::api::kinds {
namespace {

void validate(const Json& object, const HookContext&, FieldErrors& errors) {
    if (const Json* topology = find(object, "nodeTopology"))
        validate_label_selector(*topology, FieldPath("nodeTopology"), errors);
    validate_dns1123_subdomain(string_at(object, {"storageClassName"}), FieldPath("storageClassName"), errors);
    if (const Json* capacity = find(object, "capacity")) {
        validate_non_negative_quantity(quantity_of(capacity), FieldPath("capacity"), errors);
    }
}

void validate_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    const Json* topology = find(object, "nodeTopology");
    validate_immutable(topology, find(old, "nodeTopology"), go_label_selector(topology), FieldPath("nodeTopology"),
                       errors);
    validate_immutable(find(object, "storageClassName"), find(old, "storageClassName"), FieldPath("storageClassName"),
                       errors);
}

}  // namespace

extern const KindRules csi_storage_capacity_rules;
const KindRules csi_storage_capacity_rules{.validate = validate, .validate_update = validate_update};

}  // namespace kubemu::api::kinds
