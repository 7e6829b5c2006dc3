// Bodies of requests: from bytes to a document of the expected kind, with the API server's words for what is
// wrong.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/codec/json.h"
#include "api/exchange.h"
#include "api/registry.h"
#include "api/schema/type.h"

namespace kubemu::api {

// What a path takes as its body.
struct BodyType {
    std::string api_version;
    std::string_view kind;
    const TypeInfo* type = nullptr;
};
BodyType body_type(const Exchange& exchange);

// 400 and 415 as k8s.io/apiserver/pkg/endpoints/handlers answers them; complaints become warnings or a
// refusal as `validation` says.
ApiResult<Json> decode_body(Exchange& exchange, const BodyType& expected,
                            WriteContext::FieldValidation validation);

// A document that a JSON or merge patch has made, as if it had been sent: brought into the form of its type, or why it
// has none.
Result<bool, DecodeError> decode_patched(const Exchange& exchange, Json& object, const BodyType& expected,
                                         std::vector<std::string>& complaints);

// The body of a DELETE. Errors: 500, which is what the real server makes of a body that is no DeleteOptions.
ApiResult<Json> decode_delete_options(const Exchange& exchange);

// Whether the values of dryRun ask for one; 422 for a value that is not known.
ApiResult<bool> is_dry_run(std::string_view options_kind, const std::vector<std::string>& values);

// Options in the query of a write; `options_kind` is CreateOptions, UpdateOptions, PatchOptions or
// DeleteOptions.
ApiResult<WriteContext> write_context(Exchange& exchange, std::string_view options_kind);

// 422 about options.
Status invalid_option(std::string_view options_kind, std::string_view field, std::string_view reason,
                      std::string message);

}  // namespace kubemu::api
