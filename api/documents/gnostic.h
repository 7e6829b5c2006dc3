// OpenAPI documents as Protocol Buffers messages of github.com/google/gnostic-models: openapi.v2.Document, on which
// kubectl up to 1.26 insists, and openapi.v3.Document.
#pragma once

#include <string>

namespace kubemu::api {

// `json` is a document of api/documents/openapi.h.
std::string gnostic_v2_document(const std::string& json);
std::string gnostic_v3_document(const std::string& json);

}  // namespace kubemu::api
