// DELETE of one object and of a collection.
#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/decode.h"
#include "api/deletion.h"
#include "api/draft.h"
#include "api/kinds/views.h"
#include "api/pending.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

void answer_deleted(Exchange& exchange, const Written& written) {
    const bool whole = !written.deleted || exchange.kind->delete_returns_object;
    if (whole || exchange.form.as != AnswerForm::As::object)
        return answer_record(exchange, 200, *written.record);
    const ObjectView& view = view_of(*written.record);
    std::string text =
        R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","details":{"name":)";
    append_json_string(text, view.name);
    if (!exchange.kind->group.empty()) {
        text += ",\"group\":";
        append_json_string(text, exchange.kind->group);
    }
    text += ",\"kind\":";
    append_json_string(text, exchange.kind->plural);
    text += ",\"uid\":";
    append_json_string(text, view.uid);
    text += "}}\n";
    Scatter parts;
    parts.push_back(Slice::of(std::move(text)));
    answer_json(exchange, 200, std::move(parts));
}

// What the query says, in the form of a body.
ApiResult<Json> queried_options(const Exchange& exchange) {
    const RequestInfo& info = exchange.info;
    Json options = Json::object();
    if (info.has("gracePeriodSeconds")) {
        TRY_ASSIGN(options["gracePeriodSeconds"], number_parameter(exchange, "gracePeriodSeconds", 0));
    }
    if (info.has("propagationPolicy"))
        options["propagationPolicy"] = std::string(info.parameter("propagationPolicy"));
    if (info.has("orphanDependents")) options["orphanDependents"] = info.flag("orphanDependents");
    const auto [first, last] = info.query.equal_range("dryRun");
    for (auto at = first; at != last; ++at) options["dryRun"].push_back(at->second);
    return options;
}

// A body counts alone; without one the query does.
ApiResult<DeleteOptions> delete_options(const Exchange& exchange) {
    const bool sent = !exchange.request.body.empty();
    TRY_ASSIGN(const Json given, sent ? decode_delete_options(exchange) : queried_options(exchange));
    TRY(validate_delete_options(given));
    DeleteOptions options;
    if (const Json* seconds = find(given, "gracePeriodSeconds"))
        options.grace_period_seconds = seconds->get<std::int64_t>();
    options.propagation_policy = string_at(given, {"propagationPolicy"});
    if (find(given, "orphanDependents") != nullptr) {
        options.propagation_policy = bool_at(given, {"orphanDependents"}) ? "Orphan" : "Background";
    }
    options.precondition_uid = string_at(given, {"preconditions", "uid"});
    options.precondition_revision = string_at(given, {"preconditions", "resourceVersion"});
    std::vector<std::string> dry_run;
    for (const Json& value : array_at(given, {"dryRun"})) dry_run.push_back(value.get<std::string>());
    TRY_ASSIGN(options.dry_run, is_dry_run("DeleteOptions", dry_run));
    return options;
}

}  // namespace

ApiResult<bool> handle_delete(const ExchangePtr& exchange) {
    TRY_ASSIGN(WriteContext context, write_context(*exchange, "DeleteOptions"));
    TRY_ASSIGN(const DeleteOptions options, delete_options(*exchange));
    context.dry_run = options.dry_run;
    auto pending = std::make_shared<Pending>(exchange, answer_deleted);
    TRY_ASSIGN(Written written,
               exchange->registry.remove(*exchange->kind, write_scope(*exchange), exchange->info.name,
                                         options, context, Pending::completion(pending)));
    Pending::result(pending, std::move(written));
    return true;
}

ApiResult<bool> handle_delete_collection(const ExchangePtr& exchange) {
    const KindSpec& kind = *exchange->kind;
    TRY_ASSIGN(WriteContext context, write_context(*exchange, "DeleteOptions"));
    TRY_ASSIGN(const DeleteOptions options, delete_options(*exchange));
    context.dry_run = options.dry_run;
    TRY_ASSIGN(const Selection selection, selection_of(*exchange));
    Registry& registry = exchange->registry;
    const storage::Snapshot snapshot = registry.store().list(kind.resource, key_prefix(*exchange));
    Scatter parts;
    parts.push_back(Slice::of("{\"kind\":\"" + std::string(kind.list_kind) + "\",\"apiVersion\":\"" +
                              api_version_of(kind) + "\",\"metadata\":{\"resourceVersion\":\"" +
                              std::to_string(snapshot.revision) + "\"},\"items\":["));
    bool first = true;
    for (const storage::RecordPtr& record : snapshot.records) {
        if (!selection.matches(*record)) continue;
        const ObjectView& view = view_of(*record);
        const auto removed = registry.remove(kind, view.namespace_name, view.name, options, context);
        if (!removed && removed.error().code() != 404) return removed.error();
        const Slice text = object_text(registry, kind, *record);
        append_item(parts, kind, text, first);
        first = false;
    }
    parts.push_back(Slice::literal("]}\n"));
    // All of them are durable before the answer goes out.
    registry.store().flush();
    answer_json(*exchange, 200, std::move(parts));
    return true;
}

}  // namespace kubemu::api
