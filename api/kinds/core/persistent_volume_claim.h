// What claims have in common with the claim templates of ephemeral volumes and StatefulSets.
#pragma once

#include <string>
#include <vector>

#include "api/values/field_errors.h"

namespace kubemu::api::kinds {

// kubernetes pkg/apis/core/validation, ValidatePersistentVolumeClaimSpec.
void validate_claim_spec(const Json& spec, const FieldPath& path, FieldErrors& errors);

// pkg/api/persistentvolumeclaim.GetWarningsForPersistentVolumeClaimSpec.
void warn_of_claim_spec(const Json& spec, const FieldPath& path, std::vector<std::string>& warnings);

// dataSource and dataSourceRef say the same. A dataSource that is neither a claim nor a snapshot is dropped unless the
// claim already had one (pkg/api/persistentvolumeclaim; KEP 1495). `old` is null on create.
void settle_data_sources(Json& spec, const Json* old);

}  // namespace kubemu::api::kinds
