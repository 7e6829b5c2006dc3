// What the server does with metadata of every kind: fills it in and checks it.
//
// Rules and wording of k8s.io/apimachinery/pkg/api/validation and k8s.io/apiserver/pkg/registry/rest.
#pragma once

#include "api/kinds/rules.h"
#include "api/schema/kind.h"
#include "api/values/field_errors.h"
#include "api/values/object.h"
#include "api/values/status.h"

namespace kubemu::api {

// Puts the request's namespace into the object, or complains when the object names another one.
ApiResult<bool> place_in_namespace(const KindSpec& kind, std::string_view namespace_name, Json& object);

// Takes out of a new object what only the server sets, so that nobody comes to own it (rest.WipeObjectMetaSystemFields).
void wipe_server_metadata(Json& object);

// An owner that is named twice in all the same words counts once, and the client is told. `admitted`: again, after
// admission (endpoints/handlers.dedupOwnerReferencesAndAddWarning).
void dedupe_owner_references(Json& object, bool admitted, std::vector<std::string>* warnings);

// metadata.uid, creationTimestamp and generation of a new object.
void fill_new_metadata(const KindSpec& kind, Json& object, Time now, Random& random);

// What the strategy of the kind checks of a new object's metadata; some kinds check nothing of it.
void validate_metadata(const KindSpec& kind, const Json& object, FieldErrors& errors);
// What holds for every kind, and is all that some are asked: the name can stand in a path.
void validate_any_metadata(const KindSpec& kind, const Json& object, FieldErrors& errors);

// Takes what an update left out from `old` (uid, creationTimestamp, deletion marks, generation).
void keep_server_metadata(Json& object, const Json& old);
// What a change of metadata may not do, and what holds of the new one wherever it stands.
void validate_metadata_change(const Json& object, const Json& old, FieldErrors& errors);
// Finalizers without a domain are Kubernetes' own, for the kinds that know these.
void validate_standard_finalizers(const KindSpec& kind, const Json& object, FieldErrors& errors);

}  // namespace kubemu::api
