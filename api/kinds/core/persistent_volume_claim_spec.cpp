// Specs of claims, in claims and in the claim templates of ephemeral volumes.
#include <nlohmann/json.hpp>

#include "api/kinds/core/persistent_volume_claim.h"
#include "api/kinds/validation.h"

namespace kubemu::api::kinds {

void validate_claim_spec(const Json& spec, const FieldPath& path, FieldErrors& errors) {
    if (array_at(spec, {"accessModes"}).empty()) errors.required(path.child("accessModes"), "at least 1 access mode is required");
    if (const Json* selector = find(spec, "selector")) validate_label_selector(*selector, path.child("selector"), errors);
    const FieldPath storage_path = path.child("resources").key("storage");
    const Json* storage = find(spec, {"resources", "requests", "storage"});
    if (storage == nullptr) errors.required(storage_path, "");
    else validate_positive_quantity(quantity_of(storage), storage_path, errors);
}

}  // namespace kubemu::api::kinds
