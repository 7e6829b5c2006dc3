// What webhooks and policies that change objects share: the object in the version that was matched, JSON patches, and the
// way back, with defaults and without what the type does not know.
#pragma once

#include <string>

#include "api/admission/chain.h"
#include "api/admission/reinvocation.h"
#include "api/values/object.h"

namespace kubemu::api {

// The object of the request as this version shows it.
Json object_in_version(const AdmissionRequest& request, const KindSpec& matched);
// The other way round; whether it differs from what was there. Errors: 500 for a document that has no such type.
ApiResult<bool> take_mutated(AdmissionRequest& request, const KindSpec& matched, Json object);

// Operations of a JSON patch in order; what is wrong with the first that cannot be carried out, in jsonpatch's words.
std::string carry_out(const Json& patch, Json& object);

// Whether the object is another than the plugin left, and what it leaves now.
bool output_changed(const ReinvocationList& list, const AdmissionRequest& request);
void remember_output(ReinvocationList& list, const AdmissionRequest& request);

}  // namespace kubemu::api
