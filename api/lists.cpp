// Pages of collections: tokens, snapshots, and the texts of lists.
#include "api/lists.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/conversion_webhook.h"
#include "api/codec/json.h"
#include "api/codec/protobuf.h"
#include "api/decode.h"
#include "api/draft.h"
#include "api/forms.h"
#include "api/values/field_errors.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

Status list_options_invalid(const FieldErrors& errors) { return Status::invalid("meta.k8s.io", "ListOptions", "", errors); }

// In a token: no snapshot, but what is newest.
constexpr storage::Revision newest_revision = -1;

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

// Why a document is no token, as Go's JSON library says it; empty when it is one.
std::string wrong_token(const Json& document) {
    const auto cannot = [](const Json& value, const std::string& into) {
        return "json: cannot unmarshal " + json_type_word(value) + " into Go " + into;
    };
    if (document.is_null()) return {};
    if (!document.is_object()) return cannot(document, "value of type storage.continueToken");
    for (const auto& [name, value] : document.items()) {
        const bool number = name == "rv";
        if (value.is_null() || (number ? value.is_number_integer() : value.is_string())) continue;
        if (number || name == "v" || name == "start") {
            return cannot(value, "struct field continueToken." + name + " of type " + (number ? "int64" : "string"));
        }
    }
    return {};
}

ApiResult<Continue> parse_continue(std::string_view token) {
    const std::string bad = "invalid continue token: continue key is not valid: ";
    std::string text(token), json;
    for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
    while (text.size() % 4 != 0) text += '=';
    const std::size_t illegal = token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
    if (illegal != token.npos || !base64_decode(text, json)) {
        return Status::bad_request(bad + "illegal base64 data at input byte " + std::to_string(illegal == token.npos ? 0 : illegal));
    }
    auto document = parse_json(json);
    if (!document) return Status::bad_request(bad + document.error().message);
    if (const std::string wrong = wrong_token(*document); !wrong.empty()) return Status::bad_request(bad + wrong);
    if (string_at(*document, {"v"}) != "meta.k8s.io/v1") {
        return Status::bad_request(bad + "server does not recognize this encoded version " + std::string(string_at(*document, {"v"})));
    }
    Continue at;
    at.revision = int_at(*document, {"rv"});
    at.after = string_at(*document, {"start"});
    if (at.revision == 0) return Status::bad_request(bad + "incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
    if (at.after.empty()) return Status::bad_request(bad + "encoded start key empty (version meta.k8s.io/v1)");
    if (at.after.find("../") != std::string::npos || at.after.substr(0, 1) == "/") return Status::bad_request(bad + at.after);
    if (at.after.back() == '\0') at.after.pop_back();
    return at;
}

}  // namespace

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
        if (!with_version) errors.forbidden(path, "resourceVersionMatch is forbidden unless resourceVersion is provided");
        if (!token.empty()) errors.forbidden(path, "resourceVersionMatch is forbidden when continue is provided");
        if (match != "Exact" && match != "NotOlderThan") errors.not_supported(path, match, {"Exact", "NotOlderThan", ""});
        else if (match == "Exact" && info.parameter("resourceVersion") == "0") {
            errors.forbidden(path, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
        }
    }
    if (info.has("sendInitialEvents")) errors.forbidden(FieldPath("sendInitialEvents"), "sendInitialEvents is forbidden for list");
    if (!errors.empty()) return list_options_invalid(errors);
    // What is made when it is read has neither revisions nor pages.
    if (rules_of(*exchange.kind)->observe != nullptr) return query;
    if (!token.empty()) {
        TRY_ASSIGN(const Continue at, parse_continue(token));
        if (with_version && info.parameter("resourceVersion") != "0") {
            return Status::bad_request("specifying resource version is not allowed when using continue");
        }
        query.revision = std::max<storage::Revision>(at.revision, 0);
        query.after = at.after;
        return query;
    }
    TRY_ASSIGN(const storage::Revision revision, revision_parameter(exchange));
    const storage::Revision current = exchange.registry.store().current_revision();
    // "0" is answered from the cache, which knows no pages.
    if (info.parameter("resourceVersion") == "0" && match != "Exact") query.limit = 0;
    // Without a match rule a limit makes the list exact, as the real server does.
    const bool exact = match == "Exact" || (match.empty() && query.limit > 0 && revision > 0);
    if (exact) {
        query.revision = revision;
    } else if (revision > current) {
        return Status::too_large_resource_version(revision, current);
    }
    return query;
}

namespace {

// 410 with a token that goes on at whatever revision is the current one then.
Status too_old(const ListQuery& query) {
    if (query.after.empty()) {
        return Status::expired("The resourceVersion for the provided list is too old.");
    }
    StatusDetail detail = *Status::expired(
        "The provided continue parameter is too old to display a consistent list result. You can start a new list without the "
        "continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with "
        "the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the "
        "first chunk was returned and now may show up in the list.");
    detail.continue_token = continue_token({newest_revision, query.after});
    return Status(std::move(detail));
}

}  // namespace

std::vector<storage::RecordPtr> observed(const Exchange& exchange) {
    Registry& registry = exchange.registry;
    const HookContext context{*exchange.kind, exchange.info.namespace_name, {}, exchange.request.user, registry.clock().now(), registry.random(), registry};
    std::vector<storage::RecordPtr> records;
    for (const Json& object : rules_of(*exchange.kind)->observe(context)) {
        records.push_back(unstored_record(make_draft(*exchange.kind, object, storage::Precondition::absent()), 0));
    }
    return records;
}

ApiResult<FoundList> find_list(const Exchange& exchange, const ListQuery& query, const Selection& selection) {
    FoundList found;
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
            if (page.error().code == storage::Error::Code::compacted) return too_old(query);
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

namespace {

// A meta/v1.ListMeta.
std::string list_metadata(const FoundList& found) {
    std::string text = "{";
    if (found.revision > 0) text += "\"resourceVersion\":\"" + std::to_string(found.revision) + "\"";
    if (!found.token.empty()) {
        text += ",\"continue\":\"" + found.token + "\"";
        if (found.remaining >= 0) text += ",\"remainingItemCount\":" + std::to_string(found.remaining);
    }
    return text + "}";
}

struct ListName {
    std::string kind, api_version;
};

void answer_json_list(Exchange& exchange, const FoundList& found, const ListName& name, bool partial) {
    // Items show neither kind nor apiVersion, unless they are custom or metadata alone; the rest is the record's own
    // bytes.
    const bool bare = is_builtin(*exchange.kind) && !partial;
    Scatter parts;
    parts.reserve(found.records.size() * 2 + 2);
    parts.push_back(Slice::of("{\"kind\":\"" + name.kind + "\",\"apiVersion\":\"" + name.api_version +
                              "\",\"metadata\":" + list_metadata(found) + ",\"items\":["));
    bool first = true;
    for (const auto& record : found.records) {
        const Slice text = form_of_record(exchange, *record, {.partial = partial});
        parts.push_back(Slice::literal(first ? "{" : ",{"));
        parts.emplace_back(text.text.substr(bare ? body_offset(text.text) : 1), text.owner);
        first = false;
    }
    parts.push_back(Slice::literal("]}\n"));
    answer_json(exchange, 200, std::move(parts), nullptr);
}

void answer_protobuf_list(Exchange& exchange, const FoundList& found, const ListName& name, bool partial) {
    const std::string metadata = list_metadata(found);
    ProtobufList list{name.api_version, name.kind, metadata};
    if (partial && exchange.form.meta_version == "v1beta1") {
        list.metadata_number = 2;
        list.items_number = 1;
    }
    list.items.reserve(found.records.size());
    ProtobufEncoder encoder;
    for (const auto& record : found.records) {
        const Slice item = form_of_record(exchange, *record, {.partial = partial, .encoder = &encoder});
        list.items.emplace_back(protobuf_message(item.text), item.owner);
    }
    answer_protobuf(exchange, 200, encode_protobuf_list(list));
}

}  // namespace

ApiResult<bool> answer_list(Exchange& exchange, const FoundList& found) {
    const KindSpec& kind = *exchange.kind;
    TRY(check_partial_form(exchange, true));
    TRY(make_readable(exchange.registry, kind, found.records, exchange.calls));
    if (exchange.form.as == AnswerForm::As::table) {
        const std::string revision = found.revision > 0 ? std::to_string(found.revision) : std::string();
        Scatter parts;
        parts.push_back(Slice::of(table_of_records(
            exchange, found.records,
            {.resource_version = revision, .continue_token = found.token, .remaining = found.remaining})));
        answer_json(exchange, 200, std::move(parts), nullptr);
        return true;
    }
    const bool partial = exchange.form.as == AnswerForm::As::partial_list;
    const ListName name =
        partial ? ListName{"PartialObjectMetadataList", "meta.k8s.io/" + std::string(exchange.form.meta_version)}
                : ListName{std::string(kind.list_kind), api_version_of(kind)};
    if (exchange.form.encoding == Encoding::protobuf) answer_protobuf_list(exchange, found, name, partial);
    else answer_json_list(exchange, found, name, partial);
    return true;
}

}  // namespace kubemu::api
