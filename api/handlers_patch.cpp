// PATCH: JSON, merge and strategic merge patches, and server-side apply.
#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/codec/yaml.h"
#include "api/decode.h"
#include "api/draft.h"
#include "api/patch/patch.h"
#include "api/pending.h"
#include "api/subresources/subresources.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

using FieldValidation = WriteContext::FieldValidation;

enum class PatchType { json, merge, strategic, apply };

ApiResult<PatchType> patch_type(std::string_view content_type, bool custom) {
    const std::string type = lower(trim(content_type.substr(0, content_type.find(';'))));
    if (type == "application/json-patch+json") return PatchType::json;
    if (type == "application/merge-patch+json") return PatchType::merge;
    if (type == "application/strategic-merge-patch+json" && !custom) return PatchType::strategic;
    if (type == "application/apply-patch+yaml") return PatchType::apply;
    return Status::unsupported_media_type(
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json-patch+json, application/merge-patch+json, " +
        std::string(custom ? "" : "application/strategic-merge-patch+json, ") + "application/apply-patch+yaml");
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

// The body is a configuration, and who owns what decides what comes of it.
ApiResult<bool> handle_apply(const ExchangePtr& exchange) {
    const KindSpec& kind = *exchange->kind;
    const RequestInfo& info = exchange->info;
    TRY_ASSIGN(WriteContext context, write_context(*exchange, "PatchOptions"));
    context.owners_settled = true;
    context.creates = true;
    if (info.parameter("fieldManager").empty()) {
        return invalid_option("PatchOptions", "fieldManager", "FieldValueRequired",
                              "Required value: is required for apply patch");
    }
    const bool force = info.flag("force");
    std::vector<std::string> duplicates;
    auto patch = parse_yaml(exchange->request.body, &duplicates);
    if (!patch) return Status::bad_request("error decoding YAML: " + patch.error().message);
    if (!patch->is_object()) *patch = Json::object();
    const bool scale = info.subresource == "scale";
    const auto change = [&](Json& current, bool exists) -> ApiResult<bool> {
        if (!exists && !info.subresource.empty())
            return Status::not_found(kind.group, kind.plural, info.name);
        if (scale) {
            TRY(exchange->registry.apply_scale_configuration(kind, current, *patch, force, context));
        } else {
            const Json live =
                exists ? current : Json{{"kind", kind.kind}, {"apiVersion", api_version_of(kind)}};
            TRY_ASSIGN(Json object, exchange->registry.apply_configuration(kind, info.subresource, live,
                                                                           *patch, force, context));
            TRY(check_names(*exchange, object));
            const bool conditional = !string_at(*patch, {"metadata", "resourceVersion"}).empty();
            // A configuration that means one stored object cannot make another.
            if (!exists && (conditional || !uid_of(object).empty())) {
                return Status::modified(kind.group, kind.plural, info.name);
            }
            std::vector<std::string> complaints;
            if (const auto conformed = conform(object, *kind.type, kind.kind, complaints); !conformed) {
                return Status::bad_request(conformed.error().message);
            }
            if (!conditional && kind.allow_unconditional_update) erase(object["metadata"], "resourceVersion");
            current = std::move(object);
        }
        if (duplicates.empty() || context.field_validation == FieldValidation::ignore) return true;
        if (context.field_validation == FieldValidation::strict) {
            return Status::bad_request("error strict decoding YAML: " + join(duplicates, ", "));
        }
        for (const std::string& duplicate : duplicates) exchange->warnings.push_back(duplicate);
        return true;
    };
    return answer_update(exchange, change, context);
}

}  // namespace

ApiResult<bool> handle_patch(const ExchangePtr& exchange) {
    const KindSpec& kind = *exchange->kind;
    const RequestInfo& info = exchange->info;
    TRY_ASSIGN(const PatchType type, patch_type(exchange->request.content_type, kind.custom != nullptr));
    if (type == PatchType::apply) return handle_apply(exchange);
    TRY_ASSIGN(WriteContext context, write_context(*exchange, "PatchOptions"));
    if (info.has("force")) {
        return invalid_option("PatchOptions", "force", "FieldValueForbidden",
                              "Forbidden: may not be specified for non-apply patch");
    }
    std::vector<std::string> duplicates;
    auto patch = parse_json(exchange->request.body, &duplicates);
    if (!patch) return Status::bad_request(patch.error().message);
    const bool scale = info.subresource == "scale";
    const auto change = [&](Json& current, bool exists) -> ApiResult<bool> {
        if (!exists) return Status::not_found(kind.group, kind.plural, info.name);
        std::vector<std::string> complaints = duplicates;
        const Json before = scale ? scale_of(kind, current) : current;
        Json object = before;
        if (type == PatchType::json)
            TRY(apply_json_patch(object, *patch));
        else if (type == PatchType::merge)
            apply_merge_patch(object, *patch);
        else
            TRY(apply_strategic_merge_patch(object, *patch, *kind.type));
        if (scale) return exchange->registry.write_scale(kind, current, object, context);
        if (const auto conformed = conform(object, *kind.type, kind.kind, complaints); !conformed) {
            return patch_invalid(conformed.error().message);
        }
        if (context.field_validation == FieldValidation::strict && !complaints.empty()) {
            return patch_invalid("strict decoding error: " + join(complaints, ", "));
        }
        if (!name_of(object).empty()) TRY(check_names(*exchange, object));
        // A resourceVersion in the patch is a precondition; the one that was read is not.
        if (string_at(object, {"metadata", "resourceVersion"}) ==
            string_at(before, {"metadata", "resourceVersion"})) {
            const bool named =
                type != PatchType::json && find(*patch, {"metadata", "resourceVersion"}) != nullptr;
            if (!named && kind.allow_unconditional_update) erase(object["metadata"], "resourceVersion");
        }
        if (context.field_validation == FieldValidation::warn) {
            for (const std::string& complaint : complaints) exchange->warnings.push_back(complaint);
        }
        current = std::move(object);
        return true;
    };
    return answer_update(exchange, change, context);
}

}  // namespace kubemu::api
