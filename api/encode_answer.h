// The last step of every answer: from JSON text to the encoding that the client wants
// (k8s.io/apiserver/pkg/endpoints/handlers/responsewriters).
#pragma once

#include "api/negotiate.h"
#include "api/request.h"
#include "api/schema/type.h"
#include "api/values/status.h"

namespace kubemu::api {

inline constexpr std::string_view protobuf_type = "application/vnd.kubernetes.protobuf";
inline constexpr std::string_view protobuf_watch_type = "application/vnd.kubernetes.protobuf;stream=watch";

// Sets body and Content-Type. The text is one line of JSON, an object of this type; null is for what is never asked for
// as Protocol Buffers (a Table, custom resources).
void set_body(Response& response, const AnswerForm& form, Scatter json, const TypeInfo* type);

// A failure, in the best encoding that the request accepts; plain JSON when it accepts none.
Response status_response(const Status& status, const Request& request);

const TypeInfo& status_type();  // meta/v1.Status

}  // namespace kubemu::api
