// GET of one object; logs.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/conversion_webhook.h"
#include "api/codec/json.h"
#include "api/codec/scalars.h"
#include "api/exchange.h"
#include "api/kinds/views.h"
#include "api/subresources/pod_connect.h"
#include "api/lists.h"
#include "api/subresources/node_location.h"
#include "api/subresources/pod_logs.h"
#include "api/subresources/subresources.h"
#include "api/values/field_errors.h"
#include "api/values/text.h"
#include "api/values/time.h"

namespace kubemu::api {

namespace {

// One of a kind whose objects are made when they are read: they have no revision to ask for.
ApiResult<bool> get_observed(const ExchangePtr& exchange) {
    const KindSpec& kind = *exchange->kind;
    const std::string_view space = kind.namespaced ? std::string_view(exchange->info.namespace_name) : std::string_view();
    const std::string& name = exchange->info.name;
    const std::string key = object_key(space, name);
    for (const storage::RecordPtr& each : observed(*exchange)) {
        if (each->key != key) continue;
        answer_record(*exchange, 200, *each);
        return true;
    }
    if (!kind.singular.empty()) return Status::not_found(kind.group, kind.singular, name);
    // metrics-server names what it does not find by the kind: podmetrics.metrics.k8s.io "default/web".
    return Status::not_found(kind.group, lower(kind.kind), space.empty() ? name : std::string(space) + "/" + name);
}

}  // namespace

ApiResult<bool> handle_get(const ExchangePtr& exchange) {
    const RequestInfo& info = exchange->info;
    const KindSpec& kind = *exchange->kind;
    Registry& registry = exchange->registry;
    if (rules_of(kind)->observe != nullptr) return get_observed(exchange);
    TRY_ASSIGN(const storage::Revision revision, revision_parameter(*exchange));
    const storage::Revision current = registry.store().current_revision();
    if (revision > current) return Status::too_large_resource_version(revision, current);
    const std::string_view space = kind.namespaced ? std::string_view(info.namespace_name) : std::string_view();
    const storage::RecordPtr record = registry.store().get(kind.resource, object_key(space, info.name));
    if (!record && info.subresource == "scale") return missing_scale(kind, info.name);
    if (!record) return Status::not_found(kind.group, kind.plural, info.name);
    TRY(make_readable(registry, kind, {record}, exchange->calls));
    if (info.subresource == "scale") {
        TRY_ASSIGN(const Json scale, read_scale(kind, registry.document_as(*record, kind)));
        answer_scale(*exchange, 200, scale);
        return true;
    }
    answer_record(*exchange, 200, *record);
    return true;
}

ApiResult<bool> handle_list(const ExchangePtr& exchange) {
    TRY_ASSIGN(const Selection selection, selection_of(*exchange));
    TRY_ASSIGN(const ListQuery query, list_query(*exchange));
    TRY_ASSIGN(const FoundList found, find_list(*exchange, query, selection));
    return answer_list(*exchange, found);
}

namespace {

// The numbers of PodLogOptions (ValidatePodLogOptions).
ApiResult<bool> read_log_limits(const Exchange& exchange, LogQuery& query) {
    const RequestInfo& info = exchange.info;
    FieldErrors errors;
    const auto number = [&](const char* name) -> ApiResult<std::optional<std::int64_t>> {
        if (!info.has(name)) return std::optional<std::int64_t>();
        TRY_ASSIGN(const std::int64_t value, number_parameter(exchange, name, 0));
        return std::optional<std::int64_t>(value);
    };
    // All are read before the first is judged.
    TRY_ASSIGN(const auto seconds, number("sinceSeconds"));
    if (const std::string_view since = info.parameter("sinceTime"); !since.empty() && since != "null") {
        if (const auto read = scalars::time(since); !read) return Status::bad_request(read.error().message);
        query.since = parse_time(since);
    }
    TRY_ASSIGN(query.tail_lines, number("tailLines"));
    TRY_ASSIGN(query.limit_bytes, number("limitBytes"));
    if (query.tail_lines && *query.tail_lines < 0) {
        errors.invalid(FieldPath("tailLines"), *query.tail_lines, "must be greater than or equal to 0");
    }
    if (query.limit_bytes && *query.limit_bytes < 1) errors.invalid(FieldPath("limitBytes"), *query.limit_bytes, "must be greater than 0");
    if (seconds && info.has("sinceTime")) {
        errors.forbidden(FieldPath(), "at most one of `sinceTime` or `sinceSeconds` may be specified");
    } else if (seconds) {
        if (*seconds < 1) errors.invalid(FieldPath("sinceSeconds"), *seconds, "must be greater than 0");
        query.since = exchange.registry.clock().now() - std::chrono::seconds(*seconds);
    }
    // Streams apart are behind a gate that is closed (PodLogsQuerySplitStreams).
    constexpr int knows_streams = 32;
    if (info.has("stream") && exchange.registry.kinds().minor() >= knows_streams) {
        errors.forbidden(FieldPath("stream"), "may not be specified");
    }
    if (!errors.empty()) return Status::invalid({}, "PodLogOptions", info.name, errors);
    return true;
}

}  // namespace

namespace {

// The request that the server would make to the kubelet, which nobody answers.
std::string unread_log(const RequestInfo& info, const LogQuery& query, const NodeLocation& node) {
    const std::string port = std::to_string(node.port);
    std::string url = "https://" + node.host + ":" + port + "/containerLogs/" + info.namespace_name + "/" + info.name + "/" + query.container;
    char before = '?';
    const auto add = [&](const char* name, const std::string& value) {
        url += std::exchange(before, '&') + std::string(name) + "=" + value;
    };
    if (query.follow) add("follow", "true");
    if (query.limit_bytes) add("limitBytes", std::to_string(*query.limit_bytes));
    if (query.previous) add("previous", "true");
    if (info.has("sinceSeconds")) add("sinceSeconds", std::string(info.parameter("sinceSeconds")));
    if (query.tail_lines) add("tailLines", std::to_string(*query.tail_lines));
    if (query.timestamps) add("timestamps", "true");
    return "Get " + go_quote(url) + ": " + refused(node.address, port);
}

}  // namespace

ApiResult<bool> handle_log(const ExchangePtr& exchange) {
    const RequestInfo& info = exchange->info;
    Registry& registry = exchange->registry;
    LogQuery query;
    TRY(read_log_limits(*exchange, query));
    query.pod = registry.store().get("pods", object_key(info.namespace_name, info.name));
    if (!query.pod) return Status::not_found({}, "pods", info.name);
    const Json pod = registry.document(*query.pod);
    TRY_ASSIGN(query.container, container_of(pod, info.parameter("container")));
    query.follow = info.flag("follow");
    query.previous = info.flag("previous");
    query.timestamps = info.flag("timestamps");
    const std::string node_name = pod_view_of(*query.pod).node_name;
    if (node_name.empty()) {
        // Nothing runs it, so there is nothing to read.
        Response response;
        response.code = 204;
        response.content_type = "";
        exchange->respond(std::move(response));
        return true;
    }
    TRY_ASSIGN(const NodeLocation node, node_location(*exchange, node_name));
    if (exchange->logs == nullptr) return Status::plain_500(unread_log(info, query, node));
    TRY_ASSIGN(auto stream, exchange->logs->open(query));
    Response response;
    response.content_type = "text/plain";
    response.stream = std::move(stream);
    exchange->respond(std::move(response));
    return true;
}

}  // namespace kubemu::api
