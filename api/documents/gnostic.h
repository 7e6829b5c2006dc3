// An OpenAPI v2 document as the Protocol Buffers message openapi.v2.Document of github.com/google/gnostic.
#pragma once

#include <string>

#include "api/values/object.h"

namespace kubemu::api {

// `document` holds swagger, info, paths and definitions.
std::string gnostic_document(const Json& document);

}  // namespace kubemu::api
