// Decoding of bodies and of write options.
#include "api/decode.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "api/apply/managed_fields.h"
#include "api/codec/json.h"
#include "api/codec/protobuf.h"
#include "api/codec/yaml.h"
#include "api/draft.h"
#include "api/request_scope.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

Status unrecognized(std::string_view kind, std::string_view body, const std::string& why) {
    return Status::bad_request("the object provided is unrecognized (must be of type " + std::string(kind) +
                               "): " + why + " (" + summarize_body(body) + ")");
}

Status cannot_handle(std::string_view kind, std::string_view api_version, std::string_view expected,
                     const std::string& why) {
    const std::size_t slash = api_version.find('/');
    const std::string version(slash == std::string_view::npos ? api_version : api_version.substr(slash + 1));
    return Status::bad_request(std::string(kind) + " in version " + go_quote(version) +
                               " cannot be handled as a " + std::string(expected) + ": " + why);
}

std::pair<std::string_view, std::string_view> split_version(std::string_view api_version) {
    const std::size_t slash = api_version.find('/');
    if (slash == std::string_view::npos) return {{}, api_version};
    return {api_version.substr(0, slash), api_version.substr(slash + 1)};
}

// A body whose kind is known and whose contents are not yet.
struct Body {
    BodyForm form = BodyForm::json;
    std::string api_version, kind;
    std::string_view text;                // JSON, or the message in Protocol Buffers
    Json document;                        // YAML
    std::vector<std::string> duplicates;  // YAML
};

// Errors: 400 for what cannot be read as any object.
ApiResult<Body> open_body(const Exchange& exchange, const BodyType& expected) {
    // Options of a deletion are refused in the decoder's own words.
    const auto refuse = [&](const std::string& why) {
        if (expected.kind == "DeleteOptions") return Status::plain_500(why);
        return unrecognized(expected.kind, exchange.request.body, why);
    };
    Body body;
    TRY_ASSIGN(body.form, body_form(exchange.request.content_type));
    const std::string& text = exchange.request.body;
    body.text = text;
    if (body.form == BodyForm::protobuf) {
        const auto opened = open_protobuf(text);
        if (!opened) return refuse(opened.error());
        body.text = opened->raw;
        body.api_version = opened->api_version;
        body.kind = opened->kind;
    } else {
        std::string json;
        if (body.form == BodyForm::yaml) {
            auto parsed = parse_yaml(text, &body.duplicates);
            if (!parsed) return refuse(parsed.error().message);
            body.document = std::move(*parsed);
            json = encode_raw(body.document);
        }
        auto meta = read_type_meta(body.form == BodyForm::yaml ? std::string_view(json) : body.text);
        if (!meta) {
            return refuse("couldn't get version/kind; json parse error: " + meta.error().message);
        }
        body.api_version = std::move(meta->api_version);
        body.kind = std::move(meta->kind);
    }
    if (split(body.api_version, '/').size() > 2) {
        return refuse("unexpected GroupVersion string: " + body.api_version);
    }
    return body;
}

// The contents as an object of this type.
Result<Json, DecodeError> typed(const Body& body, const TypeInfo& type, std::string_view go_type,
                                std::vector<std::string>& complaints) {
    if (body.form == BodyForm::protobuf) {
        auto decoded = decode_protobuf(body.text, type);
        if (!decoded) return DecodeError{std::move(decoded).error()};
        return std::move(*decoded);
    }
    if (body.form == BodyForm::json) return decode_json(body.text, type, complaints);
    // Built-in YAML decoding goes through JSON too.
    Json object = body.document.is_null() ? Json::object() : body.document;
    if (auto conformed = conform(object, type, go_type, complaints); !conformed)
        return std::move(conformed).error();
    return object;
}

// The scheme still knows the Scales of old, which are not served.
bool is_old_scale(std::string_view api_version, std::string_view kind) {
    static constexpr std::string_view versions[] = {"apps/v1beta1", "apps/v1beta2", "extensions/v1beta1"};
    return kind == "Scale" && std::find(std::begin(versions), std::end(versions), api_version) != std::end(versions);
}

// A body of another kind than the path takes is decoded as what it says it is, and then cannot be converted: why. Nothing
// when it is the same kind in another version.
std::optional<std::string> why_other_kind(const Exchange& exchange, const BodyType& expected, const Body& body) {
    const std::string &api_version = body.api_version, &kind = body.kind;
    const auto [group, version] = split_version(api_version);
    const KindRegistry& kinds = exchange.registry.kinds();
    if (is_old_scale(api_version, kind) && expected.kind == "Scale") return std::nullopt;
    const KindSpec* spec = kinds.by_kind(group, version, kind);
    bool list = kind == "List" && api_version == "v1";
    for (const KindSpec* served : kinds.all()) {
        list = list || (served->list_kind == kind && served->group == group && served->version == version);
    }
    if (spec == nullptr && !list) {
        return "no kind " + go_quote(kind) + " is registered for version " + go_quote(api_version) +
               " in scheme \"pkg/api/legacyscheme/scheme.go:30\"";
    }
    if (spec != nullptr) {
        std::vector<std::string> ignored;
        if (const auto decoded = typed(body, *spec->type, spec->kind, ignored); !decoded) return decoded.error().message;
        if (spec->kind == expected.kind) return std::nullopt;
    }
    const auto [expected_group, expected_version] = split_version(expected.api_version);
    std::string package(expected_group.empty() ? "core" : expected_group.substr(0, expected_group.find('.')));
    return "converting (" + std::string(version) + "." + std::string(kind) + ") to (" + package + "." +
           std::string(expected.kind) + "): unknown conversion";
}

// Custom resources must say what they are; a wrong kind is a wrong value like any other.
ApiResult<bool> check_custom(const Body& body, const BodyType& expected, const std::string& text) {
    if (body.form == BodyForm::protobuf) {
        return cannot_handle(
            body.kind.empty() ? expected.kind : std::string_view(body.kind),
            body.api_version.empty() ? expected.api_version : body.api_version, expected.kind,
            "object *unstructured.Unstructured does not implement the protobuf marshalling interface and cannot "
            "be encoded to a protobuf message");
    }
    const auto [group, version] = split_version(expected.api_version);
    if (body.kind.empty()) {
        return cannot_handle(expected.kind, body.api_version.empty() ? expected.api_version : body.api_version, expected.kind,
                             "Object 'Kind' is missing in '" + text + "'");
    }
    if (!body.api_version.empty() && body.api_version != expected.api_version) {
        return Status::bad_request("the API version in the data (" + body.api_version +
                                   ") does not match the expected API version (" + expected.api_version + ")");
    }
    FieldErrors errors;
    if (body.kind != expected.kind) {
        errors.invalid(FieldPath("kind"), body.kind, "must be " + std::string(expected.kind));
    }
    if (body.api_version.empty()) errors.invalid(FieldPath("apiVersion"), "", "must be " + expected.api_version);
    if (errors.empty()) return true;
    const auto document = body.form == BodyForm::json ? parse_json(body.text) : Result<Json, DecodeError>(body.document);
    return Status::invalid(group, body.kind, document ? name_of(*document) : std::string_view(), errors);
}

}  // namespace

std::string json_type_word(const Json& value) {
    if (value.is_array()) return "array";
    if (value.is_string()) return "string";
    return value.is_boolean() ? "bool" : value.is_object() ? "object" : "number";
}

void warn_of_duplicates(const std::vector<std::string>& complaints, std::vector<std::string>& warnings) {
    constexpr std::string_view several = "yaml: unmarshal errors:\n";
    for (const std::string& complaint : complaints) {
        const std::string_view text = complaint;
        if (!text.starts_with(several)) {
            warnings.push_back(complaint);
            continue;
        }
        for (const std::string_view line : split(text.substr(several.size()), '\n')) warnings.emplace_back(trim(line));
    }
}

BodyType body_type(const Exchange& exchange) {
    const KindSpec& kind = *exchange.kind;
    const SubresourceSpec* sub =
        exchange.info.subresource.empty() ? nullptr : kind.subresource(exchange.info.subresource);
    if (sub == nullptr || sub->kind == kind.kind) return {api_version_of(kind), kind.kind, kind.type};
    const std::string_view group = sub->version.empty() ? kind.group : sub->group;
    const std::string_view version = sub->version.empty() ? kind.version : sub->version;
    return {group.empty() ? std::string(version) : std::string(group) + "/" + std::string(version), sub->kind,
            sub->type == nullptr ? kind.type : sub->type};
}

ApiResult<Json> decode_body(Exchange& exchange, const BodyType& expected,
                            WriteContext::FieldValidation validation) {
    TRY_ASSIGN(Body body, open_body(exchange, expected));
    if (expected.type->structural != nullptr) TRY(check_custom(body, expected, exchange.request.body));
    if (body.api_version.empty()) body.api_version = expected.api_version;
    if (body.kind.empty()) body.kind = expected.kind;
    // kubectl up to 1.21 posts evictions of policy/v1beta1, whose form is the same.
    const bool old_eviction =
        body.kind == "Eviction" && expected.kind == "Eviction" && body.api_version == "policy/v1beta1";
    if (!old_eviction && (body.api_version != expected.api_version || body.kind != expected.kind)) {
        if (const auto why = why_other_kind(exchange, expected, body)) {
            return cannot_handle(body.kind, body.api_version, expected.kind, *why);
        }
        return Status::bad_request("the API version in the data (" + body.api_version +
                                   ") does not match the expected API version (" + expected.api_version + ")");
    }
    std::vector<std::string> complaints;
    auto decoded = typed(body, *expected.type, expected.kind, complaints);
    if (!decoded) return cannot_handle(body.kind, body.api_version, expected.kind, decoded.error().message);
    (*decoded)["apiVersion"] = expected.api_version;
    (*decoded)["kind"] = std::string(expected.kind);
    std::vector<std::string>& duplicates = body.duplicates;
    if (validation == WriteContext::FieldValidation::warn) {
        warn_of_duplicates(duplicates, exchange.warnings);
        exchange.warnings.insert(exchange.warnings.end(), complaints.begin(), complaints.end());
    } else if (validation == WriteContext::FieldValidation::strict &&
               !(duplicates.empty() && complaints.empty())) {
        std::vector<std::string> sentences = duplicates;
        sentences.insert(sentences.end(), complaints.begin(), complaints.end());
        return cannot_handle(body.kind, body.api_version, expected.kind,
                             "strict decoding error: " + join(sentences, ", "));
    }
    return std::move(*decoded);
}

namespace {

// The Scales of old gave the selector as a map, and its text apart.
Result<bool, DecodeError> decode_old_scale(Json& object, const TypeInfo& type, std::vector<std::string>& complaints) {
    const Json status = object_at(object, {"status"});
    Json* const fields = find(object, {"status"});
    if (fields != nullptr) {
        erase(*fields, "selector");
        erase(*fields, "targetSelector");
    }
    TRY(conform(object, type, "Scale", complaints));
    const auto refuse = [](const Json& value, const std::string& field, const char* wanted) {
        return DecodeError{std::string("json: cannot unmarshal ") + json_type_word(value) + " into Go struct field ScaleStatus.status." +
                               field + " of type " + wanted,
                           false};
    };
    const Json* selector = find(status, "selector");
    if (selector != nullptr && !selector->is_null() && !selector->is_object()) return refuse(*selector, "selector", "map[string]string");
    if (selector != nullptr && selector->is_object()) {
        for (const auto& [key, value] : selector->items()) {
            if (!value.is_string() && !value.is_null()) return refuse(value, "selector", "string");
        }
    }
    const Json* text = find(status, "targetSelector");
    if (text != nullptr && !text->is_null() && !text->is_string()) return refuse(*text, "targetSelector", "string");
    return true;
}

}  // namespace

Result<bool, DecodeError> decode_patched(const Exchange& exchange, Json& object, const BodyType& expected,
                                         std::vector<std::string>& complaints) {
    Body body;
    body.api_version = string_at(object, {"apiVersion"}, expected.api_version);
    body.kind = string_at(object, {"kind"}, expected.kind);
    if (body.api_version != expected.api_version || body.kind != expected.kind) {
        const std::string text = encode_raw(object);
        body.text = text;
        if (auto why = why_other_kind(exchange, expected, body)) return DecodeError{std::move(*why), false};
        if (is_old_scale(body.api_version, body.kind)) return decode_old_scale(object, *expected.type, complaints);
    }
    return conform(object, *expected.type, expected.kind, complaints);
}

ApiResult<Json> decode_delete_options(const Exchange& exchange) {
    const BodyType expected{"v1", "DeleteOptions", find_type("meta/v1.DeleteOptions")};
    TRY_ASSIGN(const Body body, open_body(exchange, expected));
    // Clients send it in the version of what they delete.
    if (!body.kind.empty() && body.kind != expected.kind) {
        return Status::plain_500(
            "no kind " + go_quote(body.kind) + " is registered for version " +
            go_quote(body.api_version.empty() ? "meta.k8s.io/v1" : body.api_version) + " in scheme \"k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27\"");
    }
    std::vector<std::string> ignored;
    auto decoded = typed(body, *expected.type, expected.kind, ignored);
    if (!decoded) return Status::plain_500(decoded.error().message);
    return std::move(*decoded);
}

bool check_dry_run(const std::vector<std::string>& values, FieldErrors& errors) {
    bool known = true;
    std::string given;
    for (const std::string& value : values) {
        known = known && value == "All";
        given += (given.empty() ? "" : ", ") + go_quote(value);
    }
    if (!known) errors.not_supported(FieldPath("dryRun"), GoText{"[]string{" + given + "}"}, {"All"});
    return !values.empty();
}

namespace {

// The options as admission is told of them.
std::string options_text(std::string_view kind, const RequestInfo& info, const std::string& manager, std::string_view validation,
                         bool dry_run) {
    std::string text = R"({"kind":")" + std::string(kind) + R"(","apiVersion":"meta.k8s.io/v1")";
    if (dry_run) text += R"(,"dryRun":["All"])";
    if (info.has("force")) text += std::string(R"(,"force":)") + (info.flag("force") ? "true" : "false");
    for (const auto& [name, value] : {std::pair<std::string_view, std::string_view>{"fieldManager", manager}, {"fieldValidation", validation}}) {
        if (value.empty()) continue;
        text += ",\"" + std::string(name) + "\":";
        append_json_string(text, value);
    }
    return text + "}";
}

}  // namespace

namespace {

// metav1validation.ValidateFieldManager
void check_manager(const std::string& manager, FieldErrors& errors) {
    const FieldPath path("fieldManager");
    if (manager.size() > manager_bytes_max) errors.too_long(path, manager_bytes_max);
    for (std::size_t i = 0; i < manager.size(); ++i) {
        const unsigned char c = static_cast<unsigned char>(manager[i]);
        if (c >= 0x20 && c != 0x7f) continue;
        char code[8];
        std::snprintf(code, sizeof code, "U+%04X", c);
        errors.invalid(path, manager, "invalid character " + std::string(code) + " (at position " + std::to_string(i) + ")");
    }
}

}  // namespace

ApiResult<WriteContext> write_context(Exchange& exchange, std::string_view options_kind, bool applies) {
    const RequestInfo& info = exchange.info;
    WriteContext context;
    context.user = exchange.request.user;
    context.warnings = &exchange.warnings;
    const std::string manager(info.parameter("fieldManager"));
    const std::string_view validation = info.parameter("fieldValidation");
    context.field_manager = manager.empty() ? manager_of_agent(exchange.request.user_agent) : manager;
    // Those of a deletion have nothing more, and their dryRun may stand in the body.
    if (options_kind == "DeleteOptions") return context;
    FieldErrors errors;
    if (applies && manager.empty()) errors.required(FieldPath("fieldManager"), "is required for apply patch");
    if (!applies && options_kind == "PatchOptions" && info.has("force")) {
        errors.forbidden(FieldPath("force"), "may not be specified for non-apply patch");
    }
    check_manager(manager, errors);
    std::vector<std::string> dry_run;
    const auto [first, last] = info.query.equal_range("dryRun");
    for (auto at = first; at != last; ++at) dry_run.push_back(at->second);
    context.dry_run = check_dry_run(dry_run, errors);
    using FieldValidation = WriteContext::FieldValidation;
    if (validation == "Strict")
        context.field_validation = FieldValidation::strict;
    else if (validation == "Ignore")
        context.field_validation = FieldValidation::ignore;
    else if (!validation.empty() && validation != "Warn") {
        errors.not_supported(FieldPath("fieldValidation"), validation, {"", "Ignore", "Strict", "Warn"});
    }
    if (!errors.empty()) return Status::invalid("meta.k8s.io", options_kind, {}, errors);
    if (RequestScope* scope = RequestScope::current()) {
        scope->options = options_text(options_kind, info, manager, validation, context.dry_run);
    }
    return context;
}

}  // namespace kubemu::api
