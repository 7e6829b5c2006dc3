// Rules of CSIStorageCapacities: what the driver was asked about does not change.
#include <nlohmann/json.hpp>

#include "api/kinds/go_syntax.h"
#include "api/kinds/node_label_warnings.h"
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
    validate_immutable_text(string_at(object, {"storageClassName"}), string_at(old, {"storageClassName"}),
                            FieldPath("storageClassName"), errors);
}

void warnings(const Json& object, const Json*, const HookContext&, std::vector<std::string>& out) {
    const Json& topology = object_at(object, {"nodeTopology"});
    std::size_t i = 0;
    for (const Json& expression : array_at(topology, {"matchExpressions"})) {
        const FieldPath path = FieldPath("nodeTopology.matchExpressions").index(i++).child("key");
        const std::string_view key = string_at(expression, {"key"}), why = deprecated_node_label(key);
        if (!why.empty()) out.push_back(path.text() + ": " + std::string(key) + " is " + std::string(why));
    }
    for (const auto& [label, value] : object_at(topology, {"matchLabels"}).items()) {
        const std::string_view why = deprecated_node_label(label);
        if (!why.empty()) out.push_back("nodeTopology.matchLabels." + label + ": " + std::string(why));
    }
}

}  // namespace

extern const KindRules csi_storage_capacity_rules;
const KindRules csi_storage_capacity_rules{
    .validate = validate, .validate_update = validate_update, .warnings = warnings};

}  // namespace kubemu::api::kinds
