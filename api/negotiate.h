// Content negotiation: which form an answer takes, and how a body is read.
#pragma once

#include <string_view>

#include "api/values/status.h"

namespace kubemu::api {

struct AnswerForm {
    // `partial` is metadata alone, of one object or of a list as the answer is; `partial_list` was asked for as a list.
    enum class As { object, table, partial, partial_list } as = As::object;
    bool yaml = false;
    std::string_view discovery_version{};     // "v2" or "v2beta1" when aggregated discovery was asked for
    std::string_view meta_version = "v1";  // of meta.k8s.io, for every form but `object`
};

// The best of what an Accept header lists by q-value and order, among JSON and YAML. 406 when there is none.
// As k8s.io/apiserver/pkg/endpoints/handlers/negotiation. `tables`: whether the answer can be one.
ApiResult<AnswerForm> negotiate(std::string_view accept, bool tables = true);

// The media types that routes produce, as their 406 lists them.
inline constexpr std::string_view json_types = "application/json";
inline constexpr std::string_view object_types =
    "application/json, application/yaml, application/vnd.kubernetes.protobuf";
inline constexpr std::string_view watchable_types =
    "application/json, application/yaml, application/vnd.kubernetes.protobuf, application/json;stream=watch, "
    "application/vnd.kubernetes.protobuf;stream=watch";

// The check of routes, before any handler is asked: the Accept header names one of `produced` or */*, whatever else it
// says. 406; a write without a body gets 415 (github.com/emicklei/go-restful CurlyRouter and RouterJSR311).
ApiResult<bool> check_accept(std::string_view accept, std::string_view produced, bool bodiless_write);

enum class BodyForm { json, yaml, protobuf };
// 415 for anything else; no Content-Type means JSON.
ApiResult<BodyForm> body_form(std::string_view content_type);

}  // namespace kubemu::api
