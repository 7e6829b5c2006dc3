// Content negotiation: which form an answer takes, and how a body is read.
#pragma once

#include <string_view>

#include "api/values/status.h"

namespace kubemu::api {

struct AnswerForm {
    enum class As { object, table, partial } as = As::object;
    bool yaml = false;
    std::string_view discovery_version{};  // "v2" or "v2beta1" when aggregated discovery was asked for
};

// The best of what an Accept header lists by q-value and order, among JSON and YAML. 406 when there is none.
ApiResult<AnswerForm> negotiate(std::string_view accept);

enum class BodyForm { json, yaml, protobuf };
// 415 for anything else; no Content-Type means JSON.
ApiResult<BodyForm> body_form(std::string_view content_type);

}  // namespace kubemu::api
