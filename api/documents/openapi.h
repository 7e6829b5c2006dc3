// OpenAPI documents made from the type tables: /openapi/v2 as JSON and as Protocol Buffers, /openapi/v3.
//
// They are large and rarely asked for, so each is made on demand; the caller keeps them.
#pragma once

#include <string>
#include <string_view>

#include "api/documents/discovery.h"

namespace kubemu::api {

std::string openapi_v2_json(const Kinds& kinds, std::string_view version);
// The same document as gnostic's openapi.v2.Document, which kubectl up to 1.28 insists on.
std::string openapi_v2_protobuf(const Kinds& kinds, std::string_view version);
// {"paths":{"apis/apps/v1":{"serverRelativeURL":"/openapi/v3/apis/apps/v1?hash=..."}}}
std::string openapi_v3_index(const Kinds& kinds, std::string_view version);
// `path` is for example "apis/apps/v1"; empty when there is no such document.
std::string openapi_v3_document(const Kinds& kinds, std::string_view version, std::string_view path);
// SHA-512 in upper-case hexadecimal, as in ETags and in the index.
std::string openapi_hash(std::string_view text);

}  // namespace kubemu::api
