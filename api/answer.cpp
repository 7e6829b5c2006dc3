// Answers in the negotiated form.
#include <charconv>
#include <functional>
#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/documents/table.h"
#include "api/draft.h"
#include "api/encode_answer.h"
#include "api/exchange.h"
#include "api/forms.h"
#include "api/kinds/views.h"
#include "api/values/text.h"
#include "api/warnings.h"

namespace kubemu::api {
namespace {

void respond(Exchange& exchange, Response response) {
    for (auto& header : warning_headers(exchange.warnings)) response.headers.push_back(std::move(header));
    Respond respond = std::move(exchange.respond);
    exchange.respond = nullptr;
    respond(std::move(response));
}

}  // namespace

void answer_json(Exchange& exchange, int code, Scatter json, const TypeInfo* type) {
    Response response;
    response.code = code;
    set_body(response, exchange.form, std::move(json), type);
    respond(exchange, std::move(response));
}

void answer_protobuf(Exchange& exchange, int code, Scatter bytes) {
    Response response;
    response.code = code;
    response.content_type = protobuf_type;
    response.body = std::move(bytes);
    respond(exchange, std::move(response));
}

void answer_status(Exchange& exchange, const Status& status) {
    respond(exchange, status_response(status, exchange.request));
}

bool is_builtin(const KindSpec& kind) { return kind.custom == nullptr; }

Slice object_text(const Registry& registry, const KindSpec& kind, const storage::Record& record) {
    if (kind.storage_version && !registry.needs_reading(kind, record)) return Slice(record.bytes.get());
    return Slice::of(encode_document(*kind.type, api_version_of(kind), kind.kind, registry.document_as(record, kind)));
}

void answer_document(Exchange& exchange, int code, const Json& document) {
    static const TypeInfo& partial = *find_type("meta/v1.PartialObjectMetadata");
    const bool whole = exchange.form.as == AnswerForm::As::object || exchange.form.as == AnswerForm::As::table;
    Scatter parts;
    parts.push_back(Slice::of(whole ? encode_document(*exchange.kind, document)
                                    : partial_object_metadata(document, exchange.form.meta_version)));
    parts.push_back(Slice::literal("\n"));
    answer_json(exchange, code, std::move(parts), whole ? exchange.kind->type : &partial);
}

void answer_scale(Exchange& exchange, int code, const Json& scale) {
    static const TypeInfo& usual = *find_type("autoscaling/v1.Scale");
    const SubresourceSpec* sub = exchange.kind->subresource("scale");
    const TypeInfo& type = sub != nullptr && sub->type != nullptr ? *sub->type : usual;
    std::string text = encode_document(type, string_at(scale, {"apiVersion"}), "Scale", scale);
    Scatter parts;
    if (exchange.form.as == AnswerForm::As::table) {
        parts.push_back(Slice::of(table_of_scale(exchange, scale, text)));
        return answer_json(exchange, code, std::move(parts), nullptr);
    }
    if (const auto fits = check_partial_form(exchange, false); !fits) return answer_status(exchange, fits.error());
    const bool partial = exchange.form.as == AnswerForm::As::partial;
    if (partial) text = partial_object_metadata_of_text(text, exchange.form.meta_version);
    parts.push_back(Slice::of(std::move(text)));
    parts.push_back(Slice::literal("\n"));
    answer_json(exchange, code, std::move(parts), partial ? find_type("meta/v1.PartialObjectMetadata") : &type);
}

void answer_record(Exchange& exchange, int code, const storage::Record& record) {
    if (const auto fits = check_partial_form(exchange, false); !fits) return answer_status(exchange, fits.error());
    Scatter parts;
    if (exchange.form.as == AnswerForm::As::table) {
        parts.push_back(Slice::of(table_of_record(exchange, record)));
        return answer_json(exchange, code, std::move(parts), nullptr);
    }
    parts.push_back(form_of_record(exchange, record, {.partial = exchange.form.as == AnswerForm::As::partial}));
    if (exchange.form.encoding == Encoding::protobuf) return answer_protobuf(exchange, code, std::move(parts));
    parts.push_back(Slice::literal("\n"));
    answer_json(exchange, code, std::move(parts), nullptr);
}

ApiResult<std::int64_t> number_parameter(const Exchange& exchange, std::string_view name, std::int64_t fallback) {
    if (!exchange.info.has(name)) return fallback;
    const std::string_view text = exchange.info.parameter(name);
    std::int64_t value = 0;
    const bool plus = text.size() > 1 && text[0] == '+' && text[1] != '-';
    const auto [end, error] = std::from_chars(text.data() + (plus ? 1 : 0), text.data() + text.size(), value);
    const bool whole = end == text.data() + text.size();
    if (error != std::errc() || !whole) {
        const bool too_large = error == std::errc::result_out_of_range && whole;
        return Status::bad_request("strconv.ParseInt: parsing " + go_quote(text) +
                                   (too_large ? ": value out of range" : ": invalid syntax"));
    }
    return value;
}

ApiResult<storage::Revision> revision_parameter(const Exchange& exchange) {
    const std::string_view text = exchange.info.parameter("resourceVersion");
    if (text.empty()) return storage::Revision{0};
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value > INT64_MAX) {
        return Status::plain_500("resourceVersion: Invalid value: " + go_quote(text) + ": strconv.ParseUint: parsing " + go_quote(text) +
                                 ": invalid syntax");
    }
    return static_cast<storage::Revision>(value);
}

std::string key_prefix(const Exchange& exchange) {
    return exchange.info.namespace_name.empty() ? "" : exchange.info.namespace_name + "/";
}

bool Selection::matches(const storage::Record& record) const {
    const ObjectView& view = view_of(record);
    if (!labels.matches(view.labels)) return false;
    for (const FieldRequirement& requirement : fields) {
        std::optional<std::string_view> value = view.fields.find(requirement.field);
        if (requirement.field == "metadata.name") value = view.name;
        if (requirement.field == "metadata.namespace") value = view.namespace_name;
        std::string read;
        if (!value && custom) {  // the view was made before the definition named the field
            if (const auto object = parse_json(*record.bytes.get())) read = selected_value(*object, requirement.field);
            value = read;
        }
        if ((value.value_or(std::string_view()) == requirement.value) == requirement.negated) return false;
    }
    return true;
}

ApiResult<Selection> selection_of(const Exchange& exchange) {
    Selection selection;
    const KindSpec& kind = *exchange.kind;
    selection.custom = kind.custom != nullptr;
    if (const std::string_view text = exchange.info.parameter("labelSelector"); !text.empty()) {
        auto labels = LabelSelector::parse(text);
        if (!labels) return Status::bad_request(labels.error());
        selection.labels = std::move(*labels);
    }
    if (const std::string_view text = exchange.info.parameter("fieldSelector"); !text.empty()) {
        auto fields = parse_field_selector(text);
        if (!fields) return Status::bad_request(fields.error());
        selection.fields = std::move(*fields);
    }
    const KindSpec& stored = kind.custom != nullptr ? kind : exchange.registry.kinds().stored(kind.resource);
    // A version that has labels of its own says which of the stored one's each stands for.
    const bool translated = &kind != &stored && !kind.selectable_fields.empty();
    for (FieldRequirement& requirement : selection.fields) {
        bool known = requirement.field == "metadata.name" || requirement.field == "metadata.namespace";
        for (const SelectableField& field : translated ? kind.selectable_fields : stored.selectable_fields) {
            if (field.label != requirement.field) continue;
            known = true;
            if (translated) requirement.field = field.path;
            break;
        }
        // Kinds with a conversion function of their own, as custom ones have, take just what they name, and word it differently.
        const bool own = kind.custom != nullptr || !stored.selectable_fields.empty();
        if (own && !kind.namespaced && requirement.field == "metadata.namespace") {
            known = kind.custom == nullptr && kind.resource != "namespaces" && kind.resource != "nodes";
        }
        if (known) continue;
        if (own) return Status::bad_request("field label not supported: " + requirement.field);
        std::string names = "\"metadata.name\", \"metadata.namespace\"";
        for (const SelectableField& field : stored.selectable_fields) names += ", \"" + std::string(field.label) + "\"";
        return Status::bad_request(go_quote(requirement.field) + " is not a known field selector: only " + names);
    }
    if (!exchange.info.name.empty()) selection.fields.push_back({"metadata.name", exchange.info.name, false});
    return selection;
}

}  // namespace kubemu::api
