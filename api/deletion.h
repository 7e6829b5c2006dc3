// Deletion: grace periods, finalizers and propagation policies decide whether an object goes or is only marked.
//
// Rules of k8s.io/apiserver/pkg/registry/rest (BeforeDelete) and pkg/registry/generic/registry (Store.Delete).
#pragma once

#include "api/client.h"
#include "api/schema/kind.h"
#include "api/values/object.h"
#include "api/values/status.h"
#include "storage/base/clock.h"

namespace kubemu::api {

enum class Deletion {
    already_pending,  // marked before; nothing to write
    mark,             // write the changed object and leave it
    mark_and_remove,  // write the changed object, then remove it (watchers see both)
    remove,
};

// What a DELETE does to `object` (in the version of `kind`), which is changed accordingly.
Deletion plan_deletion(const KindSpec& kind, Json& object, const DeleteOptions& options, Time now);

// Whether anything still holds a marked object: metadata.finalizers or what the kind's rules add.
bool pending_finalizers(const KindSpec& kind, const Json& object);

// Whether this state of an object is the one in which the server removes it: marked, nothing pending, no grace left.
bool finished_deletion(const KindSpec& kind, const Json& object);

// What cannot be combined, and what is no policy (metav1validation.ValidateDeleteOptions, dryRun apart).
void check_delete_options(const Json& options, FieldErrors& errors);

}  // namespace kubemu::api
