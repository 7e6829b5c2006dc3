// POST and PUT: the body decoded, the registry asked, the answer sent when it is durable.
#include <nlohmann/json.hpp>

#include "api/decode.h"
#include "api/encode_answer.h"
#include "api/pending.h"
#include "api/subresources/subresources.h"

namespace kubemu::api {
namespace {

ApiResult<bool> post_to_subresource(const ExchangePtr& exchange, const WriteContext& context,
                                    const Json& body, std::string_view name, std::string_view subresource) {
    const KindSpec& pods = exchange->registry.kinds().stored("pods");
    auto pending = std::make_shared<Pending>(exchange, [](Exchange& answered, const Written&) {
        Scatter parts;
        parts.push_back(
            Slice::literal("{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":"
                           "\"Success\",\"code\":201}\n"));
        answer_json(answered, 201, std::move(parts), &status_type());
    });
    TRY_ASSIGN(Written written,
               post_subresource(exchange->registry, pods, exchange->info.namespace_name, name, subresource,
                                body, context, Pending::completion(pending)));
    Pending::result(pending, std::move(written));
    return true;
}

}  // namespace

ApiResult<bool> handle_create(const ExchangePtr& exchange) {
    const KindSpec& kind = *exchange->kind;
    const RequestInfo& info = exchange->info;
    if (is_review(kind)) return handle_review(exchange);
    if (kind.resource == "serviceaccounts" && info.subresource == "token") return handle_token_request(exchange);
    TRY_ASSIGN(const WriteContext context, write_context(*exchange, "CreateOptions"));
    TRY_ASSIGN(Json object, decode_body(*exchange, body_type(*exchange), context.field_validation));
    if (!info.subresource.empty())
        return post_to_subresource(exchange, context, object, info.name, info.subresource);
    if (kind.resource == "bindings")
        return post_to_subresource(exchange, context, object, name_of(object), "binding");
    if (kind.namespaced && info.namespace_name.empty() && !info.lacks_namespace) {
        return Status::bad_request("an empty namespace may not be set during creation");
    }
    auto pending = std::make_shared<Pending>(exchange, [](Exchange& answered, const Written& written) {
        answer_record(answered, 201, *written.record);
    });
    TRY_ASSIGN(Written written, exchange->registry.create(kind, write_scope(*exchange), std::move(object),
                                                          context, Pending::completion(pending)));
    Pending::result(pending, std::move(written));
    return true;
}

ApiResult<bool> handle_update(const ExchangePtr& exchange) {
    const KindSpec& kind = *exchange->kind;
    const RequestInfo& info = exchange->info;
    TRY_ASSIGN(const WriteContext context, write_context(*exchange, "UpdateOptions"));
    TRY_ASSIGN(Json object, decode_body(*exchange, body_type(*exchange), context.field_validation));
    const bool scale = info.subresource == "scale";
    TRY(check_namespace(*exchange, object));
    if (name_of(object).empty()) return name_undeterminable(info.name);
    TRY(check_names(*exchange, object));
    const auto replace = [&](Json& current, bool) -> ApiResult<bool> {
        if (scale) return exchange->registry.write_scale(kind, current, object, context);
        Json next = object;
        if (kind.namespaced) next["metadata"]["namespace"] = info.namespace_name;
        current = std::move(next);
        return true;
    };
    return answer_update(exchange, replace, context);
}

}  // namespace kubemu::api
