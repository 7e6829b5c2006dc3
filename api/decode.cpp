// Decoding of bodies and of write options.
#include "api/decode.h"

#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/codec/yaml.h"
#include "api/draft.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

constexpr std::size_t preview_bytes_max = 30;
constexpr std::size_t field_manager_bytes_max = 128;

std::string preview(std::string_view body) {
    if (body.empty()) return "<empty>";
    const bool more = body.size() > preview_bytes_max;
    const std::string_view head = body.substr(0, preview_bytes_max);
    std::string text;
    if (body[0] == '{') {
        text = head;
    } else {
        constexpr std::string_view digits = "0123456789abcdef";
        for (const char c : head) {
            text += digits[static_cast<unsigned char>(c) >> 4];
            text += digits[static_cast<unsigned char>(c) & 15];
        }
    }
    return more ? text + " ..." : text;
}

Status unrecognized(std::string_view kind, std::string_view body, const std::string& why) {
    return Status::bad_request("the object provided is unrecognized (must be of type " + std::string(kind) + "): " + why + " (" +
                               preview(body) + ")");
}

std::string go_type_of(const Json& value) {
    if (value.is_array()) return "array";
    if (value.is_string()) return "string";
    if (value.is_boolean()) return "bool";
    return value.is_number() ? "number" : "object";
}

Status cannot_handle(std::string_view kind, std::string_view api_version, std::string_view expected, const std::string& why) {
    const std::size_t slash = api_version.find('/');
    const std::string version(slash == std::string_view::npos ? api_version : api_version.substr(slash + 1));
    return Status::bad_request(std::string(kind) + " in version " + go_quote(version) + " cannot be handled as a " +
                               std::string(expected) + ": " + why);
}

std::pair<std::string_view, std::string_view> split_version(std::string_view api_version) {
    const std::size_t slash = api_version.find('/');
    if (slash == std::string_view::npos) return {{}, api_version};
    return {api_version.substr(0, slash), api_version.substr(slash + 1)};
}

// A body of another kind than the path takes is decoded as what it says it is, and then cannot be converted.
Status other_kind(const Exchange& exchange, const BodyType& expected, Json object, std::string_view api_version, std::string_view kind) {
    const auto [group, version] = split_version(api_version);
    const KindRegistry& kinds = exchange.registry.kinds();
    const KindSpec* spec = kinds.by_kind(group, version, kind);
    bool list = kind == "List" && api_version == "v1";
    for (const KindSpec* served : kinds.all()) {
        list = list || (served->list_kind == kind && served->group == group && served->version == version);
    }
    if (spec == nullptr && !list) {
        return cannot_handle(kind, api_version, expected.kind,
                             "no kind " + go_quote(kind) + " is registered for version " + go_quote(api_version) +
                                 " in scheme \"pkg/api/legacyscheme/scheme.go:30\"");
    }
    if (spec != nullptr) {
        std::vector<std::string> ignored;
        if (const auto decoded = conform(object, *spec->type, spec->kind, ignored); !decoded) {
            return cannot_handle(kind, api_version, expected.kind, decoded.error().message);
        }
        if (spec->kind == expected.kind) {
            return Status::bad_request("the API version in the data (" + std::string(api_version) +
                                       ") does not match the expected API version (" + expected.api_version + ")");
        }
    }
    const auto [expected_group, expected_version] = split_version(expected.api_version);
    std::string package(expected_group.empty() ? "core" : expected_group.substr(0, expected_group.find('.')));
    return cannot_handle(kind, api_version, expected.kind,
                         "converting (" + std::string(version) + "." + std::string(kind) + ") to (" + package + "." +
                             std::string(expected.kind) + "): unknown conversion");
}

}  // namespace

Status invalid_option(std::string_view options_kind, std::string_view field, std::string_view reason, std::string message) {
    StatusDetail detail;
    detail.code = 422;
    detail.reason = "Invalid";
    detail.group = "meta.k8s.io";
    detail.kind = options_kind;
    detail.message = std::string(options_kind) + ".meta.k8s.io \"\" is invalid: " + std::string(field) + ": " + message;
    detail.causes.push_back({std::string(reason), std::move(message), std::string(field)});
    return Status(std::move(detail));
}

BodyType body_type(const Exchange& exchange) {
    const KindSpec& kind = *exchange.kind;
    const SubresourceSpec* sub = exchange.info.subresource.empty() ? nullptr : kind.subresource(exchange.info.subresource);
    if (sub == nullptr || sub->kind == kind.kind) return {api_version_of(kind), kind.kind, kind.type};
    const std::string_view group = sub->version.empty() ? kind.group : sub->group;
    const std::string_view version = sub->version.empty() ? kind.version : sub->version;
    return {group.empty() ? std::string(version) : std::string(group) + "/" + std::string(version), sub->kind, sub->type};
}

ApiResult<Json> decode_body(Exchange& exchange, const BodyType& expected, WriteContext::FieldValidation validation) {
    const std::string& body = exchange.request.body;
    TRY_ASSIGN(const BodyForm form, body_form(exchange.request.content_type));
    const bool yaml = form == BodyForm::yaml;
    std::vector<std::string> duplicates, complaints;
    auto parsed = yaml ? parse_yaml(body, &duplicates) : parse_json(body, &duplicates);
    if (!parsed) {
        const std::string& message = parsed.error().message;
        return unrecognized(expected.kind, body, yaml ? message : "couldn't get version/kind; json parse error: " + message);
    }
    Json object = std::move(*parsed);
    if (object.is_null()) object = Json::object();
    const std::string lead = "couldn't get version/kind; json parse error: json: cannot unmarshal ";
    if (!object.is_object()) {
        return unrecognized(expected.kind, body,
                            lead + go_type_of(object) + " into Go value of type struct { APIVersion string "
                                "\"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }");
    }
    for (const char* member : {"apiVersion", "kind"}) {
        const Json* value = find(object, member);
        if (value != nullptr && !value->is_string()) {
            return unrecognized(expected.kind, body,
                                lead + go_type_of(*value) + " into Go struct field ." + member + " of type string");
        }
    }
    const std::string api_version(string_at(object, {"apiVersion"}, expected.api_version));
    const std::string kind(string_at(object, {"kind"}, expected.kind));
    if (split(api_version, '/').size() > 2) return unrecognized(expected.kind, body, "unexpected GroupVersion string: " + api_version);
    // kubectl up to 1.21 posts evictions of policy/v1beta1, whose form is the same.
    const bool old_eviction = kind == "Eviction" && expected.kind == "Eviction" && api_version == "policy/v1beta1";
    if (!old_eviction && (api_version != expected.api_version || kind != expected.kind)) {
        return other_kind(exchange, expected, std::move(object), api_version, kind);
    }
    if (expected.type != nullptr) {
        if (const auto decoded = conform(object, *expected.type, expected.kind, complaints); !decoded) {
            return cannot_handle(kind, api_version, expected.kind, decoded.error().message);
        }
    }
    object["apiVersion"] = expected.api_version;
    object["kind"] = std::string(expected.kind);
    if (validation == WriteContext::FieldValidation::ignore) return object;
    if (validation == WriteContext::FieldValidation::warn) {
        for (auto* list : {&duplicates, &complaints}) exchange.warnings.insert(exchange.warnings.end(), list->begin(), list->end());
        return object;
    }
    std::vector<std::string> sentences;
    if (yaml && !duplicates.empty()) {
        sentences.push_back("yaml: unmarshal errors:\n  " + join(duplicates, "\n  "));
    } else {
        sentences = duplicates;
    }
    sentences.insert(sentences.end(), complaints.begin(), complaints.end());
    if (!sentences.empty()) {
        return cannot_handle(kind, api_version, expected.kind, "strict decoding error: " + join(sentences, ", "));
    }
    return object;
}

ApiResult<WriteContext> write_context(Exchange& exchange, std::string_view options_kind) {
    const RequestInfo& info = exchange.info;
    WriteContext context;
    context.user = exchange.request.user;
    context.warnings = &exchange.warnings;
    std::string unknown;
    const auto [first, last] = info.query.equal_range("dryRun");
    for (auto at = first; at != last; ++at) {
        if (at->second == "All") context.dry_run = true;
        else if (!at->second.empty()) unknown += (unknown.empty() ? "" : ", ") + go_quote(at->second);
    }
    if (!unknown.empty()) {
        return invalid_option(options_kind, "dryRun", "FieldValueNotSupported",
                              "Unsupported value: []string{" + unknown + "}: supported values: \"All\"");
    }
    const std::string manager(info.parameter("fieldManager"));
    if (manager.size() > field_manager_bytes_max) {
        return invalid_option(options_kind, "fieldManager", "FieldValueTooLong", "Too long: must have at most 128 bytes");
    }
    for (std::size_t i = 0; i < manager.size(); ++i) {
        const unsigned char c = static_cast<unsigned char>(manager[i]);
        if (c >= 0x20 && c != 0x7f) continue;
        char code[8];
        std::snprintf(code, sizeof code, "U+%04X", c);
        return invalid_option(options_kind, "fieldManager", "FieldValueInvalid",
                              "Invalid value: " + go_quote(manager) + ": invalid character " + code + " (at position " +
                                  std::to_string(i) + ")");
    }
    const std::string& agent = exchange.request.user_agent;
    context.field_manager = manager.empty() ? agent.substr(0, agent.find('/')) : manager;
    const std::string_view validation = info.parameter("fieldValidation");
    using FieldValidation = WriteContext::FieldValidation;
    if (validation == "Strict") context.field_validation = FieldValidation::strict;
    else if (validation == "Ignore") context.field_validation = FieldValidation::ignore;
    else if (!validation.empty() && validation != "Warn") {
        return invalid_option(options_kind, "fieldValidation", "FieldValueNotSupported",
                              "Unsupported value: " + go_quote(validation) +
                                  ": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"");
    }
    return context;
}

}  // namespace kubemu::api
