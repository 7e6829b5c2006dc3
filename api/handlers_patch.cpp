// PATCH: JSON, merge and strategic merge patches, and server-side apply.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "api/codec/conforming.h"
#include "api/codec/json.h"
#include "api/codec/yaml.h"
#include "api/decode.h"
#include "api/draft.h"
#include "api/patch/convert.h"
#include "api/patch/go_text.h"
#include "api/patch/patch.h"
#include "api/patch/shown.h"
#include "api/pending.h"
#include "api/routes.h"
#include "api/subresources/subresources.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

using FieldValidation = WriteContext::FieldValidation;

enum class PatchType { json, merge, strategic, apply };

ApiResult<PatchType> patch_type(const Exchange& exchange) {
    const std::string_view header = exchange.request.content_type;
    const std::string_view type = trim(header.substr(0, header.find(';')));
    if (type == "application/json-patch+json") return PatchType::json;
    if (type == "application/merge-patch+json") return PatchType::merge;
    if (type == "application/strategic-merge-patch+json" && is_builtin(*exchange.kind)) return PatchType::strategic;
    if (type == "application/apply-patch+yaml") return PatchType::apply;
    return Status::unsupported_media_type(
        "the body of the request was in an unknown format - accepted media types include: " +
        std::string(patch_types(*exchange.kind)));
}

// The 422 that a patched object gets when it does not fit its type. `shown` is what messages print as the value.
Status patch_invalid(const std::string& shown, const std::string& message) {
    StatusDetail detail;
    detail.code = 422;
    detail.reason = "Invalid";
    const std::string text = "Invalid value: " + go_quote(shown) + ": " + message;
    detail.message = " \"\" is invalid: patch: " + text;
    detail.causes.push_back({"FieldValueInvalid", text, "patch"});
    return Status(std::move(detail));
}

// A configuration as it was sent. Clients write JSON, which is read as such where YAML would be read the same:
// printable ASCII on lines without tabs, no merge keys, whole numbers, nothing twice.
Result<Json, DecodeError> parse_configuration(std::string_view body, std::vector<std::string>& duplicates) {
    const auto same = [](char c) { return (c >= 0x20 && c < 0x7f) || c == '\n'; };
    if (body.starts_with('{') && std::all_of(body.begin(), body.end(), same) &&
        body.find("<<") == std::string_view::npos) {
        std::vector<std::string> repeated;
        auto document = parse_json(body, &repeated);
        if (document && repeated.empty() && has_plain_numbers(*document)) return document;
    }
    return parse_yaml(body, &duplicates);
}

// The body is a configuration, and who owns what decides what comes of it.
ApiResult<bool> handle_apply(const ExchangePtr& exchange) {
    const std::string decoding_yaml = "error decoding YAML: ";
    const KindSpec& kind = *exchange->kind;
    const RequestInfo& info = exchange->info;
    TRY_ASSIGN(WriteContext context, write_context(*exchange, "PatchOptions", true));
    context.owners_settled = true;
    context.creates = true;
    context.uid_is_precondition = false;
    const bool force = info.flag("force");
    std::vector<std::string> duplicates;
    auto patch = parse_configuration(exchange->request.body, duplicates);
    if (!patch) return Status::bad_request(decoding_yaml + "error converting YAML to JSON: " + patch.error().message);
    if (patch->is_null()) *patch = Json::object();
    if (!patch->is_object()) {
        return Status::bad_request(decoding_yaml + "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal " +
                                   json_type_word(*patch) + " into Go value of type map[string]interface {}");
    }
    const bool scale = info.subresource == "scale";
    const auto change = [&](Json& current, bool exists) -> ApiResult<bool> {
        const bool makes = info.subresource.empty() || (info.subresource == "status" && kind.allow_create_on_update);
        if (!exists && !makes) return Status::not_found(kind.group, kind.plural, info.name);
        if (scale) {
            TRY(exchange->registry.apply_scale_configuration(kind, current, *patch, force, context));
        } else {
            Json live =
                exists ? std::move(current) : Json{{"kind", kind.kind}, {"apiVersion", api_version_of(kind)}};
            TRY_ASSIGN(Json object, exchange->registry.apply_configuration(kind, info.subresource, std::move(live),
                                                                           *patch, force, context));
            TRY(check_names(*exchange, object));
            const bool conditional = !string_at(*patch, {"metadata", "resourceVersion"}).empty();
            // A configuration that means one stored object cannot make another.
            if (!exists && !uid_of(object).empty()) {
                return Status::conflict(kind.group, kind.plural, info.name,
                                        "uid mismatch: the provided object specified uid " + std::string(uid_of(object)) +
                                            ", and no existing object was found");
            }
            if (!exists && conditional) return Status::modified(kind.group, kind.plural, info.name);
            std::vector<std::string> complaints;
            if (const auto conformed = conform(object, *kind.type, kind.kind, complaints); !conformed) {
                return Status::bad_request(conformed.error().message);
            }
            current = std::move(object);
        }
        if (duplicates.empty() || context.field_validation == FieldValidation::ignore) return true;
        if (context.field_validation == FieldValidation::strict) {
            return Status::bad_request("error strict decoding YAML: error converting YAML to JSON: " + join(duplicates, ", "));
        }
        warn_of_duplicates(duplicates, exchange->warnings);
        return true;
    };
    return answer_update(exchange, change, context);
}

// A patch whose text was read: what it says, what is wrong with it, and what strict decoding complains of.
struct ReadPatch {
    PatchType type;
    Json patch;
    std::optional<Status> error;
    std::vector<std::string> complaints;
};

ReadPatch read_patch(PatchType type, const std::string& body, FieldValidation validation) {
    ReadPatch read{type, {}, {}, {}};
    const bool lenient = validation == FieldValidation::ignore;
    const std::string prefix = type == PatchType::strategic || lenient ? "" : "error decoding patch: ";
    auto patch = parse_json(body, &read.complaints);
    if (!patch) {
        const bool merge = type == PatchType::merge && lenient;
        read.error = Status::bad_request(merge ? "Invalid JSON Patch" : prefix + patch.error().message);
        return read;
    }
    read.patch = std::move(*patch);
    if (type == PatchType::json && !lenient) {
        const std::string wrong = check_json_patch(read.patch, read.complaints);
        if (!wrong.empty()) read.error = Status::bad_request(prefix + wrong);
        for (std::string& complaint : read.complaints) complaint.insert(0, "json patch ");
    } else if (type != PatchType::json) {
        const bool object = read.patch.is_object() || read.patch.is_null() || (type == PatchType::merge && lenient);
        if (!object) {
            read.error = Status::bad_request(prefix + "json: cannot unmarshal " + json_type_word(read.patch) +
                                             " into Go value of type map[string]interface {}");
        } else if (read.patch.is_null() && type == PatchType::merge) {
            read.error = Status::bad_request("Invalid JSON Patch");
        } else if (read.patch.is_null()) {
            read.patch = Json::object();
        }
    }
    return read;
}

// Applies the patch to `object` and brings it into the form of its type.
ApiResult<bool> apply_patch(Exchange& exchange, const ReadPatch& read, const BodyType& expected, Json& object,
                            FieldValidation validation) {
    Json patch = read.patch;
    if (read.type == PatchType::json) TRY(apply_json_patch(object, patch));
    else if (read.type == PatchType::merge) apply_merge_patch(object, patch);
    else TRY(apply_strategic_merge_patch(object, patch, *expected.type));

    // What messages show: the patch, or the patched object as it was before it was decoded.
    const bool strategic = read.type == PatchType::strategic;
    const auto patched = [&] {
        if (exchange.kind->custom != nullptr) return encode_raw(object);
        return read.type == PatchType::merge ? shown_merged(object, patch, *expected.type)
                                             : shown_patched(object, patch, *expected.type);
    };
    const std::string before = !strategic && validation == FieldValidation::strict ? patched() : std::string();
    const auto shown = [&] { return strategic ? go_text(patch) : before.empty() ? patched() : before; };
    std::vector<std::string> complaints, unknown;
    if (strategic) {
        // A patched object is what the path says, whatever kind it names.
        object["kind"] = std::string(expected.kind);
        object["apiVersion"] = expected.api_version;
        if (!conform(object, *expected.type, expected.kind, unknown)) {
            if (const auto wrong = convert(object, *expected.type)) return patch_invalid(shown(), *wrong);
            unknown.clear();
            if (const auto conformed = conform(object, *expected.type, expected.kind, unknown); !conformed) {
                return patch_invalid(shown(), conformed.error().message);
            }
        }
        std::sort(unknown.begin(), unknown.end());
    } else if (const auto decoded = decode_patched(exchange, object, expected, unknown); !decoded) {
        return patch_invalid(shown(), decoded.error().message);
    }
    if (validation == FieldValidation::ignore) return true;
    complaints = read.complaints;
    complaints.insert(complaints.end(), unknown.begin(), unknown.end());
    if (validation == FieldValidation::strict && !complaints.empty()) {
        return patch_invalid(shown(), "strict decoding error: " + join(complaints, ", "));
    }
    exchange.warnings.insert(exchange.warnings.end(), complaints.begin(), complaints.end());
    return true;
}

}  // namespace

ApiResult<bool> handle_patch(const ExchangePtr& exchange) {
    const KindSpec& kind = *exchange->kind;
    const RequestInfo& info = exchange->info;
    TRY_ASSIGN(const PatchType type, patch_type(*exchange));
    if (type == PatchType::apply) return handle_apply(exchange);
    TRY_ASSIGN(WriteContext context, write_context(*exchange, "PatchOptions"));
    // A uid in a patch is a field like any other.
    context.uid_is_precondition = false;
    const ReadPatch read = read_patch(type, exchange->request.body, context.field_validation);
    const BodyType expected = body_type(*exchange);
    const bool scale = info.subresource == "scale";
    const auto change = [&](Json& current, bool exists) -> ApiResult<bool> {
        if (!exists) return Status::not_found(kind.group, kind.plural, info.name);
        if (read.error) return *read.error;
        Json object = scale ? owned_scale_of(kind, current) : current;
        TRY(apply_patch(*exchange, read, expected, object, context.field_validation));
        if (name_of(object).empty()) return name_undeterminable(info.name);
        TRY(check_names(*exchange, object));
        if (const std::string uid(uid_of(object)); scale && !uid.empty() && uid != uid_of(current)) {
            return Status::conflict(kind.group, std::string(kind.plural) + "/scale", info.name,
                                    "Precondition failed: UID in precondition: " + uid +
                                        ", UID in object meta: " + std::string(uid_of(current)));
        }
        if (scale) return exchange->registry.write_scale(kind, current, object, context);
        current = std::move(object);
        return true;
    };
    return answer_update(exchange, change, context);
}

}  // namespace kubemu::api
