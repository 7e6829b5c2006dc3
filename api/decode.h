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

// Says complaints about duplicate fields one by one; those of YAML come as one of several lines (parseYAMLWarnings).
void warn_of_duplicates(const std::vector<std::string>& complaints, std::vector<std::string>& warnings);

// What Go's JSON library calls a value: object, array, string, bool, number.
std::string json_type_word(const Json& value);

// A document that a JSON or merge patch has made, as if it had been sent: brought into the form of its type, or why it
// has none.
Result<bool, DecodeError> decode_patched(const Exchange& exchange, Json& object, const BodyType& expected,
                                         std::vector<std::string>& complaints);

// The body of a DELETE. Errors: 500, which is what the real server makes of a body that is no DeleteOptions.
ApiResult<Json> decode_delete_options(const Exchange& exchange);

// Whether the values of dryRun ask for one, and what is wrong with them.
bool check_dry_run(const std::vector<std::string>& values, FieldErrors& errors);

// Options in the query of a write; `options_kind` is CreateOptions, UpdateOptions, PatchOptions (`applies`: those of an
// apply) or DeleteOptions, of which only who asks counts. Errors: 422 with all that is wrong with them
// (k8s.io/apimachinery/pkg/apis/meta/v1/validation).
ApiResult<WriteContext> write_context(Exchange& exchange, std::string_view options_kind, bool applies = false);

}  // namespace kubemu::api
