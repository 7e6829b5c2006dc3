// POST, PUT, PATCH and DELETE: bodies decoded, options read, the registry asked, the answer sent when it is durable.
#include <atomic>
#include <nlohmann/json.hpp>
#include <optional>

#include "api/codec/json.h"
#include "api/codec/protobuf.h"
#include "api/codec/yaml.h"
#include "api/draft.h"
#include "api/exchange.h"
#include "api/kinds/views.h"
#include "api/patch/patch.h"
#include "api/subresources/subresources.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

using FieldValidation = WriteContext::FieldValidation;

ApiResult<WriteContext> write_context(Exchange& exchange, std::string_view options_kind) {
    const RequestInfo& info = exchange.info;
    WriteContext context;
    context.user = exchange.request.user;
    FieldErrors errors;
    const std::string_view dry_run = info.parameter("dryRun");
    if (dry_run == "All") context.dry_run = true;
    else if (!dry_run.empty()) errors.not_supported(FieldPath("dryRun"), dry_run, {"All"});
    const std::string_view validation = info.parameter("fieldValidation");
    if (validation == "Strict") context.field_validation = FieldValidation::strict;
    else if (validation == "Ignore") context.field_validation = FieldValidation::ignore;
    else if (!validation.empty() && validation != "Warn") {
        errors.not_supported(FieldPath("fieldValidation"), validation, {"", "Ignore", "Strict", "Warn"});
    }
    const std::string manager(info.parameter("fieldManager"));
    if (manager.size() > 128) errors.too_long(FieldPath("fieldManager"), 128);
    for (std::size_t at = 0; at < manager.size(); ++at) {
        const auto byte = static_cast<unsigned char>(manager[at]);
        if (byte >= 0x20 && byte != 0x7f) continue;
        constexpr std::string_view digits = "0123456789ABCDEF";
        const std::string code = {'0', '0', digits[byte >> 4], digits[byte & 15]};
        errors.invalid(FieldPath("fieldManager"), manager, "invalid character U+" + code + " (at position " + std::to_string(at) + ")");
    }
    if (!errors.empty()) return Status::invalid("meta.k8s.io", options_kind, "", errors);
    const std::string& agent = exchange.request.user_agent;
    context.field_manager = manager.empty() ? agent.substr(0, agent.find('/')) : manager;
    context.warnings = &exchange.warnings;
    return context;
}

std::string handled_as(const KindSpec& kind, const std::string& message) {
    return std::string(kind.kind) + " in version \"" + std::string(kind.version) + "\" cannot be handled as a " + std::string(kind.kind) +
           ": " + message;
}

// The body as a document, before it is looked at as a kind.
ApiResult<Json> parse_body(const Exchange& exchange, BodyForm form, std::vector<std::string>& complaints,
                           const TypeInfo* type = nullptr) {
    if (form == BodyForm::protobuf) {
        const auto body = open_protobuf(exchange.request.body);
        if (!body) return Status::bad_request(body.error());
        if (type == nullptr) type = exchange.kind->type;
        auto decoded = decode_protobuf(body->raw, *type);
        if (!decoded) return Status::bad_request(decoded.error());
        if (!body->kind.empty()) (*decoded)["kind"] = body->kind;
        if (!body->api_version.empty()) (*decoded)["apiVersion"] = body->api_version;
        return std::move(*decoded);
    }
    auto parsed = form == BodyForm::yaml ? parse_yaml(exchange.request.body, &complaints) : parse_json(exchange.request.body, &complaints);
    if (!parsed) {
        return Status::bad_request(form == BodyForm::yaml ? parsed.error().message
                                   : exchange.request.body.empty() ? "unexpected end of JSON input"
                                                                   : "couldn't get version/kind; json parse error: " + parsed.error().message);
    }
    return std::move(*parsed);
}

ApiResult<bool> report(Exchange& exchange, const WriteContext& context, const std::vector<std::string>& complaints) {
    if (complaints.empty() || context.field_validation == FieldValidation::ignore) return true;
    if (context.field_validation == FieldValidation::strict) {
        return Status::bad_request(handled_as(*exchange.kind, "strict decoding error: " + join(complaints, ", ")));
    }
    for (const std::string& complaint : complaints) exchange.warnings.push_back(complaint);
    return true;
}

// The body as an object of the request's kind.
ApiResult<Json> decode_object(Exchange& exchange, const WriteContext& context) {
    TRY_ASSIGN(const BodyForm form, body_form(exchange.request.content_type));
    std::vector<std::string> complaints;
    TRY_ASSIGN(Json object, parse_body(exchange, form, complaints));
    const KindSpec& kind = *exchange.kind;
    if (object.is_null()) object = Json::object();
    if (object.is_object()) {
        const std::string given(string_at(object, {"kind"})), version(string_at(object, {"apiVersion"}));
        const std::string wanted = api_version_of(kind);
        if ((!given.empty() && given != kind.kind) || (!version.empty() && version != wanted)) {
            const std::string group_version = version.empty() ? wanted : version;
            if (given == kind.kind || given.empty()) {
                return Status::bad_request("the API version in the data (" + group_version + ") does not match the expected API version (" +
                                           wanted + ")");
            }
            const std::size_t slash = group_version.find('/');
            const std::string group = slash == std::string::npos ? "" : group_version.substr(0, slash);
            if (exchange.registry.kinds().by_kind(group, slash == std::string::npos ? group_version : group_version.substr(slash + 1), given) == nullptr) {
                return Status::bad_request("no kind \"" + given + "\" is registered for version \"" + group_version +
                                           "\" in scheme \"pkg/api/legacyscheme/scheme.go:30\"");
            }
            return Status::bad_request(given + " in version \"" + group_version.substr(slash == std::string::npos ? 0 : slash + 1) +
                                       "\" cannot be handled as a " + std::string(kind.kind) + ": converting (" + group_version + "." + given +
                                       ") to (" + wanted + "." + std::string(kind.kind) + "): unknown conversion");
        }
    }
    const auto conformed = conform(object, *kind.type, kind.kind, complaints);
    if (!conformed) return Status::bad_request(handled_as(kind, conformed.error().message));
    TRY(report(exchange, context, complaints));
    object["kind"] = kind.kind;
    object["apiVersion"] = api_version_of(kind);
    return object;
}

// Runs a write whose answer is the record it made. What is durable before the write call has returned must wait for
// the result, so both meet in a Pending.
class Pending {
  public:
    explicit Pending(ExchangePtr exchange) : exchange_(std::move(exchange)) {}

    std::function<void(const Exchange&, const Written&)> answer;

    static storage::Completion completion(const std::shared_ptr<Pending>& self) {
        return [self](const storage::Error* failure) {
            if (failure != nullptr) self->failure_ = *failure;
            self->arrive();
        };
    }
    static void result(const std::shared_ptr<Pending>& self, Written written) {
        const bool pending = written.pending;
        self->written_ = std::move(written);
        self->arrive();
        if (!pending) self->arrive();
    }

  private:
    // The second of the two to arrive answers.
    void arrive() {
        if (arrived_.fetch_add(1) == 0) return;
        if (failure_) answer_status(*exchange_, Status::internal(storage::to_string(*failure_)));
        else answer(*exchange_, *written_);
    }

    ExchangePtr exchange_;
    std::atomic<int> arrived_{0};
    std::optional<Written> written_;
    std::optional<storage::Error> failure_;
};

std::string_view scope(const Exchange& exchange) {
    return exchange.kind->namespaced ? std::string_view(exchange.info.namespace_name) : std::string_view();
}

Json success_status(const Exchange& exchange, const Json& object) {
    Json status = {{"kind", "Status"}, {"apiVersion", "v1"}, {"metadata", Json::object()}, {"status", "Success"}};
    Json& details = status["details"];
    details["name"] = name_of(object);
    if (!exchange.kind->group.empty()) details["group"] = exchange.kind->group;
    details["kind"] = exchange.kind->plural;
    details["uid"] = uid_of(object);
    return status;
}

void answer_deleted(Exchange& exchange, const Written& written) {
    const bool whole = !written.deleted || exchange.kind->delete_returns_object;
    if (whole || exchange.form.as != AnswerForm::As::object) return answer_record(exchange, 200, *written.record);
    const Json status = success_status(exchange, exchange.registry.document(*written.record));
    const Json& details = status["details"];
    std::string text = R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","details":{"name":)";
    append_json_string(text, string_at(details, {"name"}));
    if (details.contains("group")) {
        text += ",\"group\":";
        append_json_string(text, string_at(details, {"group"}));
    }
    text += ",\"kind\":";
    append_json_string(text, string_at(details, {"kind"}));
    text += ",\"uid\":";
    append_json_string(text, string_at(details, {"uid"}));
    text += "}}\n";
    Scatter parts;
    parts.push_back(Slice::of(std::move(text)));
    answer_json(exchange, 200, std::move(parts));
}

ApiResult<DeleteOptions> delete_options(Exchange& exchange) {
    DeleteOptions options;
    const RequestInfo& info = exchange.info;
    if (info.has("gracePeriodSeconds")) {
        TRY_ASSIGN(options.grace_period_seconds, number_parameter(exchange, "gracePeriodSeconds", 0));
    }
    options.propagation_policy = info.parameter("propagationPolicy");
    if (info.has("orphanDependents")) options.propagation_policy = info.flag("orphanDependents") ? "Orphan" : "Background";
    options.dry_run = info.parameter("dryRun") == "All";
    if (!exchange.request.body.empty()) {
        TRY_ASSIGN(const BodyForm form, body_form(exchange.request.content_type));
        std::vector<std::string> complaints;
        TRY_ASSIGN(const Json body, parse_body(exchange, form, complaints, find_type("meta/v1.DeleteOptions")));
        if (const Json* seconds = find(body, "gracePeriodSeconds"); seconds != nullptr && seconds->is_number()) {
            options.grace_period_seconds = seconds->get<std::int64_t>();
        }
        if (const std::string_view policy = string_at(body, {"propagationPolicy"}); !policy.empty()) options.propagation_policy = policy;
        if (const Json* orphan = find(body, "orphanDependents"); orphan != nullptr && orphan->is_boolean()) {
            options.propagation_policy = orphan->get<bool>() ? "Orphan" : "Background";
        }
        options.precondition_uid = string_at(body, {"preconditions", "uid"});
        options.precondition_revision = string_at(body, {"preconditions", "resourceVersion"});
        for (const Json& value : array_at(body, {"dryRun"})) options.dry_run = options.dry_run || value == "All";
    }
    FieldErrors errors;
    const std::string& policy = options.propagation_policy;
    if (!policy.empty() && policy != "Background" && policy != "Foreground" && policy != "Orphan") {
        errors.not_supported(FieldPath("propagationPolicy"), policy, {"Background", "Foreground", "Orphan", "nil"});
    }
    if (!errors.empty()) return Status::invalid("meta.k8s.io", "DeleteOptions", "", errors);
    return options;
}

ApiResult<bool> post_to_subresource(const ExchangePtr& exchange, const WriteContext& context, std::string_view resource_name,
                                    std::string_view subresource) {
    TRY_ASSIGN(const BodyForm form, body_form(exchange->request.content_type));
    std::vector<std::string> complaints;
    const SubresourceSpec* sub = exchange->kind->subresource(subresource);
    TRY_ASSIGN(const Json body, parse_body(*exchange, form, complaints, sub == nullptr ? nullptr : sub->type));
    const KindSpec& pods = exchange->registry.kinds().stored("pods");
    auto pending = std::make_shared<Pending>(exchange);
    pending->answer = [ex = exchange](const Exchange&, const Written&) {
        Scatter parts;
        parts.push_back(Slice::literal("{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Success\",\"code\":201}\n"));
        answer_json(*ex, 201, std::move(parts));
    };
    WriteContext own = context;
    own.dry_run = context.dry_run;
    TRY_ASSIGN(Written written, post_subresource(exchange->registry, pods, exchange->info.namespace_name, resource_name, subresource, body,
                                                 own, Pending::completion(pending)));
    Pending::result(pending, std::move(written));
    return true;
}

}  // namespace

ApiResult<bool> handle_create(const ExchangePtr& exchange) {
    const KindSpec& kind = *exchange->kind;
    const RequestInfo& info = exchange->info;
    TRY_ASSIGN(const WriteContext context, write_context(*exchange, "CreateOptions"));
    if (!info.subresource.empty()) return post_to_subresource(exchange, context, info.name, info.subresource);
    TRY_ASSIGN(Json object, decode_object(*exchange, context));
    if (kind.resource == "bindings") return post_to_subresource(exchange, context, name_of(object), "binding");
    if (const auto answer = rules_of(kind)->answer) {
        const HookContext hook{kind, info.namespace_name, {}, context.user, exchange->registry.clock().now(), exchange->registry.random(),
                               exchange->registry, context.dry_run};
        TRY_ASSIGN(const Json answered, answer(std::move(object), hook));
        answer_document(*exchange, 201, answered);
        return true;
    }
    if (kind.namespaced && info.namespace_name.empty()) {
        return Status::bad_request("an empty namespace may not be set during creation");
    }
    auto pending = std::make_shared<Pending>(exchange);
    pending->answer = [ex = exchange](const Exchange&, const Written& written) { answer_record(*ex, 201, *written.record); };
    TRY_ASSIGN(Written written,
               exchange->registry.create(kind, scope(*exchange), std::move(object), context, Pending::completion(pending)));
    Pending::result(pending, std::move(written));
    return true;
}

ApiResult<bool> handle_update(const ExchangePtr& exchange) {
    const KindSpec& kind = *exchange->kind;
    const RequestInfo& info = exchange->info;
    TRY_ASSIGN(WriteContext context, write_context(*exchange, "UpdateOptions"));
    const bool scale = info.subresource == "scale";
    context.owners_settled = scale;
    Json object;
    if (scale) {
        TRY_ASSIGN(const BodyForm form, body_form(exchange->request.content_type));
        std::vector<std::string> complaints;
        TRY_ASSIGN(object, parse_body(*exchange, form, complaints, find_type("autoscaling/v1.Scale")));
        const std::string given(string_at(object, {"kind"}));
        if (!given.empty() && given != "Scale") {
            return Status::bad_request(given + " in version \"" + std::string(kind.version) + "\" cannot be handled as a Scale: converting (" +
                                       std::string(kind.version) + "." + given + ") to (autoscaling.Scale): unknown conversion");
        }
    } else {
        TRY_ASSIGN(object, decode_object(*exchange, context));
    }
    const std::string name(name_of(object));
    if (!name.empty() && name != info.name) {
        return Status::bad_request("the name of the object (" + name + ") does not match the name on the URL (" + info.name + ")");
    }
    const std::string space(namespace_of(object));
    if (kind.namespaced && !space.empty() && space != info.namespace_name) {
        return Status::bad_request("the namespace of the provided object does not match the namespace sent on the request");
    }
    if (name.empty() && !scale) {
        return Status::bad_request("the name of the object (" + name + " based on URL) was undeterminable: name must be provided");
    }
    const auto replace = [&](Json& current, bool) -> ApiResult<bool> {
        if (scale) return exchange->registry.write_scale(kind, current, object, context);
        Json next = object;
        if (kind.namespaced) next["metadata"]["namespace"] = info.namespace_name;
        current = std::move(next);
        return true;
    };
    auto pending = std::make_shared<Pending>(exchange);
    pending->answer = [ex = exchange, scale](const Exchange&, const Written& written) {
        if (!scale) return answer_record(*ex, written.created ? 201 : 200, *written.record);
        Scatter parts;
        parts.push_back(Slice::of(encode_raw(scale_of(ex->registry.document(*written.record))) + "\n"));
        answer_json(*ex, 200, std::move(parts));
    };
    const std::string_view sub = scale ? std::string_view() : std::string_view(info.subresource);
    TRY_ASSIGN(Written written, exchange->registry.update(kind, scope(*exchange), info.name, sub, replace, context, Pending::completion(pending)));
    Pending::result(pending, std::move(written));
    return true;
}

namespace {

enum class PatchType { json, merge, strategic, apply };

ApiResult<PatchType> patch_type(std::string_view content_type) {
    const std::string type = lower(trim(content_type.substr(0, content_type.find(';'))));
    if (type == "application/json-patch+json") return PatchType::json;
    if (type == "application/merge-patch+json") return PatchType::merge;
    if (type == "application/strategic-merge-patch+json") return PatchType::strategic;
    if (type == "application/apply-patch+yaml") return PatchType::apply;
    return Status::unsupported_media_type(
        "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, "
        "application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml");
}

// The 422 that a patched object gets when it no longer fits its type.
Status patch_invalid(const std::string& message) {
    StatusDetail detail;
    detail.code = 422;
    detail.reason = "Invalid";
    const std::string text = "Invalid value: \"<object>\": " + message;
    detail.message = " \"\" is invalid: patch: " + text;
    detail.causes.push_back({"FieldValueInvalid", text, "patch"});
    return Status(std::move(detail));
}

}  // namespace

namespace {

// strconv.ParseBool as the query decoder uses it: what is no boolean counts as true when it is there at all.
bool truth_of(std::string_view text) { return !text.empty() && text != "0" && lower(std::string(text)) != "false"; }

// Server-side apply: the body is a configuration, and who owns what decides what comes of it.
ApiResult<bool> handle_apply(const ExchangePtr& exchange) {
    const KindSpec& kind = *exchange->kind;
    const RequestInfo& info = exchange->info;
    TRY_ASSIGN(WriteContext context, write_context(*exchange, "PatchOptions"));
    context.owners_settled = true;
    context.creates = true;
    if (info.parameter("fieldManager").empty()) {
        FieldErrors errors;
        errors.required(FieldPath("fieldManager"), "is required for apply patch");
        return Status::invalid("meta.k8s.io", "PatchOptions", "", errors);
    }
    const bool force = truth_of(info.parameter("force"));
    std::vector<std::string> duplicates;
    auto patch = parse_yaml(exchange->request.body, &duplicates);
    if (!patch) return Status::bad_request("error decoding YAML: " + patch.error().message);
    if (!patch->is_object()) return Status::bad_request("invalid object type: /, Kind=");
    const bool scale = info.subresource == "scale";
    const auto change = [&](Json& current, bool exists) -> ApiResult<bool> {
        if (scale) {
            if (!exists) return Status::not_found(kind.group, kind.plural, info.name);
            return exchange->registry.apply_scale_configuration(kind, current, *patch, force, context);
        }
        Json live = exists ? current : Json{{"kind", kind.kind}, {"apiVersion", api_version_of(kind)}};
        TRY_ASSIGN(Json object, exchange->registry.apply_configuration(kind, info.subresource, live, *patch, force, context));
        const std::string_view name = name_of(object);
        if (name != info.name) {
            return Status::bad_request("the name of the object (" + std::string(name) + ") does not match the name on the URL (" +
                                       info.name + ")");
        }
        const std::string revision(string_at(*patch, {"metadata", "resourceVersion"}));
        if (!exists) {
            if (!revision.empty() || !uid_of(object).empty()) return Status::modified(kind.group, kind.plural, info.name);
            if (!info.subresource.empty()) return Status::not_found(kind.group, kind.plural, info.name);
        }
        std::vector<std::string> complaints;
        if (const auto conformed = conform(object, *kind.type, kind.kind, complaints); !conformed) {
            return Status::bad_request(conformed.error().message);
        }
        object["kind"] = kind.kind;
        object["apiVersion"] = api_version_of(kind);
        if (revision.empty() && kind.allow_unconditional_update) erase(object["metadata"], "resourceVersion");
        current = std::move(object);
        return true;
    };
    if (!duplicates.empty() && context.field_validation == FieldValidation::strict) {
        return Status::bad_request("error strict decoding YAML: " + join(duplicates, ", "));
    }
    auto pending = std::make_shared<Pending>(exchange);
    pending->answer = [ex = exchange, scale](const Exchange&, const Written& written) {
        if (!scale) return answer_record(*ex, written.created ? 201 : 200, *written.record);
        Scatter parts;
        parts.push_back(Slice::of(encode_raw(scale_of(ex->registry.document(*written.record))) + "\n"));
        answer_json(*ex, 200, std::move(parts));
    };
    const std::string_view sub = scale ? std::string_view() : std::string_view(info.subresource);
    TRY_ASSIGN(Written written, exchange->registry.update(kind, scope(*exchange), info.name, sub, change, context, Pending::completion(pending)));
    Pending::result(pending, std::move(written));
    return true;
}

}  // namespace

ApiResult<bool> handle_patch(const ExchangePtr& exchange) {
    const KindSpec& kind = *exchange->kind;
    const RequestInfo& info = exchange->info;
    TRY_ASSIGN(const PatchType type, patch_type(exchange->request.content_type));
    if (type == PatchType::apply) return handle_apply(exchange);
    TRY_ASSIGN(WriteContext context, write_context(*exchange, "PatchOptions"));
    if (!info.parameter("force").empty()) {
        FieldErrors errors;
        errors.forbidden(FieldPath("force"), "may not be specified for non-apply patch");
        return Status::invalid("meta.k8s.io", "PatchOptions", "", errors);
    }
    context.owners_settled = info.subresource == "scale";
    std::vector<std::string> duplicates;
    auto patch = parse_json(exchange->request.body, &duplicates);
    if (!patch) return Status::bad_request(patch.error().message);
    const bool scale = info.subresource == "scale";
    std::vector<std::string> complaints;
    const auto change = [&](Json& current, bool exists) -> ApiResult<bool> {
        if (!exists) return Status::not_found(kind.group, kind.plural, info.name);
        complaints = duplicates;
        const Json before = scale ? scale_of(current) : current;
        Json object = before;
        if (type == PatchType::json) TRY(apply_json_patch(object, *patch));
        else if (type == PatchType::merge) apply_merge_patch(object, *patch);
        else TRY(apply_strategic_merge_patch(object, *patch, *kind.type));
        if (scale) return exchange->registry.write_scale(kind, current, object, context);
        if (const auto conformed = conform(object, *kind.type, kind.kind, complaints); !conformed) return patch_invalid(conformed.error().message);
        if (!complaints.empty() && context.field_validation == FieldValidation::strict) {
            return patch_invalid("strict decoding error: " + join(complaints, ", "));
        }
        for (const char* member : {"name", "namespace"}) {
            if (string_at(object, {"metadata", member}) != string_at(before, {"metadata", member})) {
                FieldErrors errors;
                errors.invalid(FieldPath("metadata").child(member), std::string(string_at(object, {"metadata", member})), "field is immutable");
                return Status::invalid(kind.group, kind.kind, info.name, errors);
            }
        }
        // A resourceVersion in the patch is a precondition; the one that was read is not.
        if (string_at(object, {"metadata", "resourceVersion"}) == string_at(before, {"metadata", "resourceVersion"})) {
            const bool named = type != PatchType::json && find(*patch, {"metadata", "resourceVersion"}) != nullptr;
            if (!named && kind.allow_unconditional_update) erase(object["metadata"], "resourceVersion");
        }
        current = std::move(object);
        return true;
    };
    auto pending = std::make_shared<Pending>(exchange);
    pending->answer = [ex = exchange, scale](const Exchange&, const Written& written) {
        if (!scale) return answer_record(*ex, 200, *written.record);
        Scatter parts;
        parts.push_back(Slice::of(encode_raw(scale_of(ex->registry.document(*written.record))) + "\n"));
        answer_json(*ex, 200, std::move(parts));
    };
    const std::string_view sub = scale ? std::string_view() : std::string_view(info.subresource);
    TRY_ASSIGN(Written written, exchange->registry.update(kind, scope(*exchange), info.name, sub, change, context, Pending::completion(pending)));
    if (context.field_validation == FieldValidation::warn) {
        for (const std::string& complaint : complaints) exchange->warnings.push_back(complaint);
    }
    Pending::result(pending, std::move(written));
    return true;
}

ApiResult<bool> handle_delete(const ExchangePtr& exchange) {
    const KindSpec& kind = *exchange->kind;
    const RequestInfo& info = exchange->info;
    TRY_ASSIGN(WriteContext context, write_context(*exchange, "DeleteOptions"));
    TRY_ASSIGN(const DeleteOptions options, delete_options(*exchange));
    context.dry_run = context.dry_run || options.dry_run;
    auto pending = std::make_shared<Pending>(exchange);
    pending->answer = [ex = exchange](const Exchange&, const Written& written) { answer_deleted(*ex, written); };
    TRY_ASSIGN(Written written,
               exchange->registry.remove(kind, scope(*exchange), info.name, options, context, Pending::completion(pending)));
    Pending::result(pending, std::move(written));
    return true;
}

ApiResult<bool> handle_delete_collection(const ExchangePtr& exchange) {
    const KindSpec& kind = *exchange->kind;
    TRY_ASSIGN(WriteContext context, write_context(*exchange, "DeleteOptions"));
    TRY_ASSIGN(const DeleteOptions options, delete_options(*exchange));
    context.dry_run = context.dry_run || options.dry_run;
    TRY_ASSIGN(const Selection selection, selection_of(*exchange));
    Registry& registry = exchange->registry;
    const storage::Snapshot snapshot = registry.store().list(kind.resource, key_prefix(*exchange));
    Scatter parts;
    parts.push_back(Slice::of("{\"kind\":\"" + std::string(kind.list_kind) + "\",\"apiVersion\":\"" + api_version_of(kind) +
                              "\",\"metadata\":{\"resourceVersion\":\"" + std::to_string(snapshot.revision) + "\"},\"items\":["));
    bool first = true;
    for (const storage::RecordPtr& record : snapshot.records) {
        if (!selection.matches(*record)) continue;
        const ObjectView& view = view_of(*record);
        const auto removed = registry.remove(kind, view.namespace_name, view.name, options, context);
        if (!removed && removed.error().code() != 404) return removed.error();
        const Slice text = object_text(registry, kind, *record);
        parts.push_back(Slice::literal(first ? "{" : ",{"));
        parts.emplace_back(text.text.substr(body_offset(text.text)), text.owner);
        first = false;
    }
    parts.push_back(Slice::literal("]}\n"));
    // All of them are durable before the answer goes out.
    registry.store().flush();
    answer_json(*exchange, 200, std::move(parts));
    return true;
}

}  // namespace kubemu::api
