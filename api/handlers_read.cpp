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
    if (!record) {
        return Status::not_found(kind.group, std::string(kind.plural) + (info.subresource == "scale" ? "/scale" : ""), info.name);
    }
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
    const auto at_least = [&](const char* name, std::int64_t least, const char* message) -> ApiResult<std::optional<std::int64_t>> {
        if (!info.has(name)) return std::optional<std::int64_t>();
        TRY_ASSIGN(const std::int64_t value, number_parameter(exchange, name, 0));
        if (value < least) errors.invalid(FieldPath(name), value, message);
        return std::optional<std::int64_t>(value);
    };
    TRY_ASSIGN(query.tail_lines, at_least("tailLines", 0, "must be greater than or equal to 0"));
    TRY_ASSIGN(query.limit_bytes, at_least("limitBytes", 1, "must be greater than 0"));
    if (info.has("sinceSeconds") && info.has("sinceTime")) {
        errors.forbidden(FieldPath(), "at most one of `sinceTime` or `sinceSeconds` may be specified");
    } else if (info.has("sinceSeconds")) {
        TRY_ASSIGN(const auto seconds, at_least("sinceSeconds", 1, "must be greater than 0"));
        query.since = exchange.registry.clock().now() - std::chrono::seconds(*seconds);
    } else if (info.has("sinceTime")) {
        const std::string_view since = info.parameter("sinceTime");
        if (!since.empty() && since != "null") {
            if (const auto read = scalars::time(since); !read) return Status::bad_request(read.error().message);
        }
        query.since = parse_time(since);
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

ApiResult<bool> handle_log(const ExchangePtr& exchange) {
    const RequestInfo& info = exchange->info;
    Registry& registry = exchange->registry;
    LogQuery query;
    query.pod = registry.store().get("pods", object_key(info.namespace_name, info.name));
    if (!query.pod) return Status::not_found({}, "pods", info.name);
    const Json pod = registry.document(*query.pod);
    TRY_ASSIGN(query.container, container_of(pod, info.parameter("container")));
    query.follow = info.flag("follow");
    query.previous = info.flag("previous");
    query.timestamps = info.flag("timestamps");
    TRY(read_log_limits(*exchange, query));
    if (pod_view_of(*query.pod).node_name.empty() || exchange->logs == nullptr) {
        // Nothing runs it, so there is nothing to read.
        Response response;
        response.code = exchange->logs == nullptr ? 200 : 204;
        response.content_type = "text/plain";
        exchange->respond(std::move(response));
        return true;
    }
    TRY_ASSIGN(auto stream, exchange->logs->open(query));
    Response response;
    response.content_type = "text/plain";
    response.stream = std::move(stream);
    exchange->respond(std::move(response));
    return true;
}

}  // namespace kubemu::api
