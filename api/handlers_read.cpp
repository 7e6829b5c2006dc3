// GET of one object and of lists; logs.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/documents/table.h"
#include "api/draft.h"
#include "api/exchange.h"
#include "api/kinds/views.h"
#include "api/subresources/pod_logs.h"
#include "api/subresources/subresources.h"
#include "api/values/text.h"
#include "api/values/time.h"

namespace kubemu::api {
namespace {

Status list_options_invalid(const FieldErrors& errors) { return Status::invalid("meta.k8s.io", "ListOptions", "", errors); }

// Where a paged list goes on: the snapshot's revision and the last key that was given out.
struct Continue {
    storage::Revision revision = 0;
    std::string after;
};

std::string continue_token(const Continue& at) {
    std::string json = R"({"v":"meta.k8s.io/v1","rv":)" + std::to_string(at.revision) + ",\"start\":";
    append_json_string(json, at.after + std::string(1, '\0'));
    json += '}';
    std::string text = base64_encode(json);
    while (!text.empty() && text.back() == '=') text.pop_back();
    for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
    return text;
}

ApiResult<Continue> parse_continue(std::string_view token) {
    const std::string bad = "invalid continue token: continue key is not valid: ";
    std::string text(token), json;
    for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
    while (text.size() % 4 != 0) text += '=';
    if (!base64_decode(text, json)) return Status::bad_request(bad + "illegal base64 data at input byte 0");
    auto document = parse_json(json);
    if (!document) return Status::bad_request(bad + document.error().message);
    if (string_at(*document, {"v"}) != "meta.k8s.io/v1") {
        return Status::bad_request(bad + "server does not recognize this encoded version " + std::string(string_at(*document, {"v"})));
    }
    Continue at;
    at.revision = int_at(*document, {"rv"});
    at.after = string_at(*document, {"start"});
    if (at.revision <= 0) return Status::bad_request(bad + "incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
    if (at.after.empty()) return Status::bad_request(bad + "encoded start key empty (version meta.k8s.io/v1)");
    if (at.after.find("../") != std::string::npos || at.after.substr(0, 1) == "/") return Status::bad_request(bad + at.after);
    if (at.after.back() == '\0') at.after.pop_back();
    return at;
}

struct ListQuery {
    storage::Revision revision = 0;  // exactly this one when not 0
    std::size_t limit = 0;
    std::string after;
};

ApiResult<ListQuery> list_query(const Exchange& exchange) {
    const RequestInfo& info = exchange.info;
    ListQuery query;
    TRY_ASSIGN(const std::int64_t limit, number_parameter(exchange, "limit", 0));
    TRY(number_parameter(exchange, "timeoutSeconds", 0));
    query.limit = limit > 0 ? static_cast<std::size_t>(limit) : 0;
    const std::string_view match = info.parameter("resourceVersionMatch");
    const bool with_version = !info.parameter("resourceVersion").empty();
    const std::string_view token = info.parameter("continue");
    FieldErrors errors;
    const FieldPath path("resourceVersionMatch");
    if (!match.empty()) {
        if (!token.empty()) errors.forbidden(path, "resourceVersionMatch is forbidden when continue is provided");
        else if (!with_version) errors.forbidden(path, "resourceVersionMatch is forbidden unless resourceVersion is provided");
        if (match != "Exact" && match != "NotOlderThan") errors.not_supported(path, match, {"Exact", "NotOlderThan", ""});
        else if (match == "Exact" && info.parameter("resourceVersion") == "0") {
            errors.forbidden(path, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
        }
    }
    if (info.has("sendInitialEvents")) errors.forbidden(FieldPath("sendInitialEvents"), "sendInitialEvents is forbidden for list");
    if (!errors.empty()) return list_options_invalid(errors);
    TRY_ASSIGN(const storage::Revision revision, revision_parameter(exchange));
    const storage::Revision current = exchange.registry.store().current_revision();
    if (!token.empty()) {
        if (with_version && info.parameter("resourceVersion") != "0") {
            return Status::bad_request("specifying resource version is not allowed when using continue");
        }
        TRY_ASSIGN(const Continue at, parse_continue(token));
        query.revision = at.revision;
        query.after = at.after;
        return query;
    }
    // Without a match rule a limit makes the list exact, as the real server does.
    const bool exact = match == "Exact" || (match.empty() && query.limit > 0 && revision > 0);
    if (exact) {
        query.revision = revision;
    } else if (revision > current) {
        return Status::too_large_resource_version(revision, current);
    }
    return query;
}

// 410 with a token that goes on at the current revision.
Status too_old(const Exchange& exchange, const ListQuery& query) {
    if (query.after.empty()) {
        return Status::expired("The resourceVersion for the provided list is too old.");
    }
    StatusDetail detail = *Status::expired(
        "The provided continue parameter is too old to display a consistent list result. You can start a new list without the "
        "continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with "
        "the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the "
        "first chunk was returned and now may show up in the list.");
    detail.continue_token = continue_token({exchange.registry.store().current_revision(), query.after});
    return Status(std::move(detail));
}

struct Found {
    std::vector<storage::RecordPtr> records;
    storage::Revision revision = 0;
    std::string token;
    long remaining = -1;
};

// The objects of a kind that are made when they are read; they have no revision.
std::vector<storage::RecordPtr> observed(const Exchange& exchange) {
    const Registry& registry = exchange.registry;
    const HookContext context{*exchange.kind, {}, {}, exchange.request.user, registry.clock().now(),
                              exchange.registry.random(), registry};
    std::vector<storage::RecordPtr> records;
    for (const Json& object : rules_of(*exchange.kind)->observe(context)) {
        records.push_back(unstored_record(make_draft(*exchange.kind, object, storage::Precondition::absent()), 0));
    }
    return records;
}

ApiResult<Found> find_records(const Exchange& exchange, const ListQuery& query, const Selection& selection) {
    Found found;
    if (rules_of(*exchange.kind)->observe != nullptr) {
        for (const storage::RecordPtr& record : observed(exchange)) {
            if (selection.matches(*record)) found.records.push_back(record);
        }
        return found;
    }
    const std::string prefix = key_prefix(exchange);
    std::string after = query.after;
    storage::Revision revision = query.revision;
    for (;;) {
        // With a selector the store cannot count what matches; it is asked for pages until the limit is reached.
        auto page = exchange.registry.store().list_at({.resource = exchange.kind->resource,
                                                       .prefix = prefix,
                                                       .revision = revision,
                                                       .after = after,
                                                       .limit = query.limit});
        if (!page) {
            if (page.error().code == storage::Error::Code::compacted) return too_old(exchange, query);
            if (page.error().code == storage::Error::Code::future_revision) {
                return Status::plain_500("etcdserver: mvcc: required revision is a future revision");
            }
            return Status::internal(storage::to_string(page.error()));
        }
        found.revision = revision = page->revision;
        if (selection.everything()) {
            found.records = std::move(page->records);
            if (page->more) {
                found.token = continue_token({found.revision, found.records.back()->key});
                found.remaining = static_cast<long>(page->remaining);
            }
            return found;
        }
        for (std::size_t i = 0; i < page->records.size(); ++i) {
            const storage::RecordPtr& record = page->records[i];
            if (!selection.matches(*record)) continue;
            found.records.push_back(record);
            const bool last = i + 1 == page->records.size() && !page->more;
            if (query.limit != 0 && found.records.size() == query.limit && !last) {
                found.token = continue_token({found.revision, record->key});
                return found;
            }
        }
        if (!page->more) return found;
        after = page->records.back()->key;
    }
}

std::string list_head(const Found& found, std::string_view kind, std::string_view api_version) {
    std::string head = "{\"kind\":\"" + std::string(kind) + "\",\"apiVersion\":\"" + std::string(api_version) +
                       "\",\"metadata\":{";
    if (found.revision > 0) head += "\"resourceVersion\":\"" + std::to_string(found.revision) + "\"";
    if (!found.token.empty()) {
        head += ",\"continue\":\"" + found.token + "\"";
        if (found.remaining >= 0) head += ",\"remainingItemCount\":" + std::to_string(found.remaining);
    }
    return head + "},\"items\":[";
}

}  // namespace

ApiResult<bool> handle_get(const ExchangePtr& exchange) {
    const RequestInfo& info = exchange->info;
    const KindSpec& kind = *exchange->kind;
    Registry& registry = exchange->registry;
    TRY_ASSIGN(const storage::Revision revision, revision_parameter(*exchange));
    const storage::Revision current = registry.store().current_revision();
    if (revision > current) return Status::too_large_resource_version(revision, current);
    const std::string_view space = kind.namespaced ? std::string_view(info.namespace_name) : std::string_view();
    storage::RecordPtr record;
    if (rules_of(kind)->observe != nullptr) {
        for (const storage::RecordPtr& each : observed(*exchange)) {
            if (each->key == info.name) record = each;
        }
    } else {
        record = registry.store().get(kind.resource, object_key(space, info.name));
    }
    if (!record) return Status::not_found(kind.group, kind.plural, info.name);
    if (info.subresource == "scale") {
        Json object = registry.document(*record);
        Scatter parts;
        parts.push_back(Slice::of(encode_raw(scale_of(object)) + "\n"));
        answer_json(*exchange, 200, std::move(parts));
        return true;
    }
    answer_record(*exchange, 200, *record);
    return true;
}

ApiResult<bool> handle_list(const ExchangePtr& exchange) {
    const KindSpec& kind = *exchange->kind;
    TRY_ASSIGN(const Selection selection, selection_of(*exchange));
    TRY_ASSIGN(const ListQuery query, list_query(*exchange));
    TRY_ASSIGN(const Found found, find_records(*exchange, query, selection));
    Registry& registry = exchange->registry;
    Scatter parts;
    if (exchange->form.as == AnswerForm::As::table) {
        std::vector<Json> documents;
        documents.reserve(found.records.size());
        for (const auto& record : found.records) documents.push_back(registry.document(*record));
        const std::string revision = found.revision > 0 ? std::to_string(found.revision) : std::string();
        const std::string_view include = exchange->info.parameter("includeObject");
        parts.push_back(Slice::of(table_of(
            documents, {.kind = registry.kinds().stored(kind.resource),
                        .include = include == "Object" ? IncludeObject::object : include == "None" ? IncludeObject::none : IncludeObject::metadata,
                        .now = registry.clock().now(),
                        .resource_version = revision,
                        .continue_token = found.token,
                        .remaining = found.remaining})));
    } else if (exchange->form.as == AnswerForm::As::partial) {
        std::string text = list_head(found, "PartialObjectMetadataList", "meta.k8s.io/v1");
        for (const auto& record : found.records) {
            if (text.back() != '[') text += ',';
            append_raw(text, partial_object_metadata(registry.document(*record)));
        }
        parts.push_back(Slice::of(text + "]}\n"));
    } else {
        parts.reserve(found.records.size() * 2 + 2);
        parts.push_back(Slice::of(list_head(found, kind.list_kind, api_version_of(kind))));
        bool first = true;
        for (const auto& record : found.records) {
            const Slice text = object_text(registry, kind, *record);
            // Items show neither kind nor apiVersion; the rest is the record's own bytes.
            parts.push_back(Slice::literal(first ? "{" : ",{"));
            parts.emplace_back(text.text.substr(body_offset(text.text)), text.owner);
            first = false;
        }
        parts.push_back(Slice::literal("]}\n"));
    }
    answer_json(*exchange, 200, std::move(parts));
    return true;
}

ApiResult<bool> handle_log(const ExchangePtr& exchange) {
    const RequestInfo& info = exchange->info;
    Registry& registry = exchange->registry;
    LogQuery query;
    query.pod = registry.store().get("pods", object_key(info.namespace_name, info.name));
    if (!query.pod) return Status::not_found({}, "pods", info.name);
    const Json pod = registry.document(*query.pod);
    query.container = info.parameter("container");
    std::vector<std::string> names, init_names;
    for (const Json& container : array_at(pod, {"spec", "containers"})) names.emplace_back(string_at(container, {"name"}));
    for (const Json& container : array_at(pod, {"spec", "initContainers"})) init_names.emplace_back(string_at(container, {"name"}));
    if (query.container.empty()) {
        if (names.size() == 1 && init_names.empty()) {
            query.container = names[0];
        } else {
            const std::string annotated(string_at(pod, {"metadata", "annotations", "kubectl.kubernetes.io/default-container"}));
            if (names.size() == 1) {
                query.container = names[0];
            } else if (!annotated.empty()) {
                query.container = annotated;
            } else {
                std::string message = "a container name must be specified for pod " + info.name + ", choose one of: [" + join(names, " ") + "]";
                if (!init_names.empty()) message += " or one of the init containers: [" + join(init_names, " ") + "]";
                return Status::bad_request(message);
            }
        }
    }
    const auto has = [&query](const std::vector<std::string>& list) {
        return std::find(list.begin(), list.end(), query.container) != list.end();
    };
    if (!has(names) && !has(init_names)) {
        return Status::bad_request("container " + query.container + " is not valid for pod " + info.name);
    }
    query.follow = info.flag("follow");
    query.previous = info.flag("previous");
    query.timestamps = info.flag("timestamps");
    if (info.has("tailLines")) {
        TRY_ASSIGN(query.tail_lines, number_parameter(*exchange, "tailLines", 0));
        if (*query.tail_lines < 0) {
            FieldErrors errors;
            errors.invalid(FieldPath("tailLines"), *query.tail_lines, "must be greater than or equal to 0");
            return Status::invalid({}, "PodLogOptions", info.name, errors);
        }
    }
    if (info.has("limitBytes")) {
        TRY_ASSIGN(query.limit_bytes, number_parameter(*exchange, "limitBytes", 0));
    }
    if (info.has("sinceSeconds")) {
        TRY_ASSIGN(const std::int64_t seconds, number_parameter(*exchange, "sinceSeconds", 0));
        query.since = registry.clock().now() - std::chrono::seconds(seconds);
    } else if (info.has("sinceTime")) {
        query.since = parse_time(info.parameter("sinceTime"));
    }
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
