// Content negotiation: which form an answer takes, and how a body is read
// (k8s.io/apiserver/pkg/endpoints/handlers/negotiation).
#pragma once

#include <string_view>

#include "api/request.h"
#include "api/values/status.h"

namespace kubemu::api {

enum class Encoding { json, yaml, protobuf };

struct AnswerForm {
    // `partial` is metadata alone, of one object or of a list as the answer is; `partial_list` was asked for as a list.
    enum class As { object, table, partial, partial_list } as = As::object;
    Encoding encoding = Encoding::json;
    bool pretty = false;                   // JSON with line breaks, for people
    std::string_view discovery_version{};  // "v2" or "v2beta1" when aggregated discovery was asked for
    std::string_view meta_version = "v1";  // of meta.k8s.io, for every form but `object`
};

// What an endpoint can answer with, beside JSON and YAML.
struct Endpoint {
    // What it can turn its answers into: nothing, the forms of meta.k8s.io, or nothing but aggregated discovery.
    enum class Transforms { none, meta, discovery } transforms = Transforms::meta;
    bool tables = true;    // of the forms of meta.k8s.io, Table as well
    bool protobuf = true;  // its own objects have a form in Protocol Buffers
};
// Documents, and every error.
inline constexpr Endpoint plain_endpoint{Endpoint::Transforms::none};

// The best of what an Accept header lists: by q-value, and what says more before what says less, as
// github.com/munnerz/goautoneg sorts it. A weight of 0 comes last and still counts. 406 when there is none.
ApiResult<AnswerForm> negotiate(std::string_view accept, const Endpoint& endpoint = {});
// The same for a request, which may ask for pretty JSON (?pretty=true) or come from a program that people read.
ApiResult<AnswerForm> negotiate(const Request& request, const Endpoint& endpoint);

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
