// Reviews, and what must hold of their answers.
#include "api/conversion_webhook.h"

#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/crd/custom_resource.h"
#include "api/conversion.h"
#include "api/draft.h"
#include "api/registry.h"
#include "api/remote_client.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

// client-go's default for webhooks (webhook.setGlobalDefaults).
constexpr std::int64_t timeout_seconds = 30;

std::string shown_version(std::string_view version) {
    return (version.find('/') == std::string_view::npos ? "/" : "") + std::string(version);
}

// Go's name of a JSON value's type.
std::string go_type(const Json& value) {
    if (value.is_string()) return "string";
    if (value.is_array()) return "[]interface {}";
    if (value.is_boolean()) return "bool";
    if (value.is_null()) return "<nil>";
    return value.is_object() ? "map[string]interface {}" : value.is_number_float() ? "float64" : "int64";
}

// validateConvertedObject
std::string check_identity(const Json& in, const Json& out) {
    const auto differs = [&](std::string_view what, std::string_view before, std::string_view after) {
        return before == after ? std::string() : "must have the same " + std::string(what) + ": " + std::string(before) + " != " + std::string(after);
    };
    for (const std::string& wrong : {differs("kind", string_at(in, {"kind"}), string_at(out, {"kind"})), differs("name", name_of(in), name_of(out)),
                                     differs("namespace", namespace_of(in), namespace_of(out)), differs("UID", uid_of(in), uid_of(out))}) {
        if (!wrong.empty()) return wrong;
    }
    return {};
}

// restoreObjectMeta: of its metadata the webhook may change labels and annotations.
std::string restore_metadata(const Json& in, Json& out) {
    const auto found = out.find("metadata");
    if (found == out.end()) return "missing metadata in converted object";
    if (!found->is_object()) return "invalid metadata of type " + go_type(*found) + " in converted object";
    const Json given = *found;
    Json kept = object_at(in, {"metadata"});
    for (const char* member : {"labels", "annotations"}) {
        const auto at = given.find(member);
        if (at == given.end() || at->is_null()) {
            kept.erase(member);
            continue;
        }
        if (!at->is_object()) return std::string("invalid metadata.") + member + " of type " + go_type(*at) + " in converted object";
        for (const auto& [key, value] : at->items()) {
            if (value.is_string()) continue;
            return std::string("metadata.") + member + "[" + key + "] must be a string, but is " + go_type(value) + " in converted object";
        }
        kept[member] = *at;
    }
    *found = std::move(kept);
    return {};
}

// What is wrong with an answer as a whole, before the objects in it are looked at.
std::string check_review(const Json& review, const std::string& version, const std::string& uid) {
    const bool v1 = version == "apiextensions.k8s.io/v1";
    const std::string_view got_version = string_at(review, {"apiVersion"}), got_kind = string_at(review, {"kind"});
    if (v1 && (got_version != version || got_kind != "ConversionReview")) {
        return "expected webhook response of " + version + ", Kind=ConversionReview, got " + shown_version(got_version) + ", Kind=" + std::string(got_kind);
    }
    const Json* response = find(review, "response");
    if (response == nullptr) return "no response provided";
    if (v1 && string_at(*response, {"uid"}) != uid) {
        return "expected response.uid=" + go_quote(uid) + ", got " + go_quote(string_at(*response, {"uid"}));
    }
    const std::string status(string_at(*response, {"result", "status"})), message(string_at(*response, {"result", "message"}));
    if (status == "Success") return {};
    return message.empty() ? "response.result.status was '" + status + "', not 'Success'" : message;
}

// One converted object, in place of `in`.
std::string accept(const Json& in, const std::string& wanted, Json& out) {
    if (!out.is_object()) return "invalid converted object: json: cannot unmarshal " + go_type(out);
    if (const std::string_view got = string_at(out, {"apiVersion"}); got != wanted) {
        return "invalid groupVersion (expected " + wanted + ", received " + std::string(got) + ")";
    }
    if (string_at(in, {"kind"}) != string_at(out, {"kind"})) {
        return "invalid kind (expected " + std::string(string_at(in, {"kind"})) + ", received " + std::string(string_at(out, {"kind"})) + ")";
    }
    if (const std::string wrong = check_identity(in, out); !wrong.empty()) return wrong;
    return restore_metadata(in, out);
}

std::string review_version(const Json& webhook) {
    for (const Json& version : array_at(webhook, {"conversionReviewVersions"})) {
        if (version == "v1" || version == "v1beta1") return "apiextensions.k8s.io/" + version.get<std::string>();
    }
    return {};
}

}  // namespace

bool converts_by_webhook(const KindSpec& kind) {
    return kind.custom != nullptr && kind.custom->resource != nullptr && kind.custom->resource->conversion_webhook() != nullptr;
}

ApiResult<std::vector<Json>> convert_by_webhook(const Lookup& lookup, Random& random, RemoteCalls& calls, const KindSpec& to,
                                                std::vector<Json> objects) {
    const Json& webhook = *to.custom->resource->conversion_webhook();
    const std::string wanted = api_version_of(to), version = review_version(webhook);
    Json asked = Json::array();
    for (const Json& object : objects) {
        if (string_at(object, {"apiVersion"}) != wanted) asked.push_back(object);
    }
    if (asked.empty()) return objects;
    if (version.empty()) return Status::plain_500("no supported conversion review versions");
    const std::string what = "conversion webhook for " + std::string(string_at(asked[0], {"apiVersion"})) + ", Kind=" + std::string(to.kind);
    const std::string key = "conversion " + std::string(to.resource) + " " + wanted + " " + encode_raw(asked);
    const auto make = [&](const std::string& fresh) {
        const Json review = {{"kind", "ConversionReview"},
                             {"apiVersion", version},
                             {"request", {{"uid", fresh}, {"desiredAPIVersion", wanted}, {"objects", asked}}}};
        return call_by_config(lookup, object_at(webhook, {"clientConfig"}), timeout_seconds, encode_raw(review));
    };
    std::string uid;
    const RemoteAnswer* given = calls.ask(key, random, make, uid);
    if (given == nullptr) return waits_for_answer();
    RemoteAnswer answer = *given;
    if (answer.error == "context deadline exceeded") answer.error += " (Client.Timeout exceeded while awaiting headers)";
    auto review = read_answer(call_by_config(lookup, object_at(webhook, {"clientConfig"}), timeout_seconds, {}), answer);
    if (!review) return Status::plain_500(what + " failed: " + review.error());
    if (const std::string wrong = check_review(*review, version, uid); !wrong.empty()) return Status::plain_500(what + " failed: " + wrong);
    Json converted = array_at(*review, {"response", "convertedObjects"});
    if (converted.size() != asked.size()) {
        return Status::plain_500(what + " returned " + std::to_string(converted.size()) + " objects, expected " + std::to_string(asked.size()));
    }
    std::size_t next = 0;
    for (Json& object : objects) {
        if (string_at(object, {"apiVersion"}) == wanted) continue;
        const std::string wrong = accept(object, wanted, converted[next]);
        if (!wrong.empty()) {
            const bool version_or_kind = wrong.compare(0, 8, "invalid ") == 0;
            const std::string place = asked.size() > 1 || version_or_kind ? " at index " + std::to_string(next) : std::string();
            return Status::plain_500(what + " returned invalid " + (asked.size() > 1 ? "converted " : "") + "object" + place + ": " + wrong);
        }
        object = std::move(converted[next++]);
    }
    return objects;
}

ApiResult<bool> make_readable(Registry& registry, const KindSpec& kind, const std::vector<storage::RecordPtr>& records,
                              RemoteCalls& calls) {
    if (kind.storage_version || !converts_by_webhook(kind)) return true;
    ConvertedRecords& converted = kind.custom->resource->converted();
    std::vector<Json> objects;
    std::vector<const storage::Record*> missing;
    for (const storage::RecordPtr& record : records) {
        if (converted.find(*record, kind) != nullptr) continue;
        missing.push_back(record.get());
        objects.push_back(registry.document(*record));
    }
    if (missing.empty()) return true;
    TRY_ASSIGN(objects, convert_by_webhook(registry, registry.random(), calls, kind, std::move(objects)));
    for (std::size_t i = 0; i < missing.size(); ++i) {
        read_custom(*kind.custom, objects[i]);
        converted.keep(*missing[i], kind, std::move(objects[i]));
    }
    return true;
}

}  // namespace kubemu::api
