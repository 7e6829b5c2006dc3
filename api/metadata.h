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
// `whole_object`: not one of its subresources alone. Complaints come as often as the real server makes them; those that it
// makes after it has looked at the object as at a new one are returned.
[[nodiscard]] FieldErrors validate_metadata_update(const KindSpec& kind, const Json& object, const Json& old, bool whole_object,
                                                   FieldErrors& errors);

}  // namespace kubemu::api
