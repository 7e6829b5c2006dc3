// Look-ups of bindings and parameters.
#include "api/admission/policy_params.h"

#include <nlohmann/json.hpp>

#include "api/admission/request_words.h"
#include "api/conversion.h"
#include "api/kind_registry.h"
#include "api/selector/label.h"

namespace kubemu::api {
namespace {

using Params = std::vector<std::optional<Json>>;

Json param_document(const AdmissionRequest& request, const KindSpec& kind, const storage::Record& record) {
    const KindSpec& stored = request.kinds.stored_of(kind);
    return convert_version(stored, kind, request.lookup.document(record));
}

// By name or by selector.
Result<Params, std::string> find_params(const AdmissionRequest& request, const KindSpec& kind, const Json& reference,
                                        std::string_view space) {
    Params params;
    if (const std::string_view name = string_at(reference, {"name"}); !name.empty()) {
        if (const auto record = request.lookup.get(kind.resource, space, name)) {
            params.emplace_back(param_document(request, kind, *record));
        }
        return params;
    }
    const Json* selector = find(reference, "selector");
    if (selector == nullptr) return std::string("one of name or selector must be provided");
    const LabelSelector wanted = LabelSelector::from_object(*selector);
    for (const storage::RecordPtr& record : request.lookup.list(kind.resource, space)) {
        Json document = param_document(request, kind, *record);
        if (wanted.matches(labels_of(object_at(document, {"metadata", "labels"})))) params.emplace_back(std::move(document));
    }
    return params;
}

}  // namespace

std::vector<Json> bindings_of(const AdmissionRequest& request, std::string_view binding_resource, std::string_view policy) {
    std::vector<Json> bindings;
    for (const storage::RecordPtr& record : request.lookup.list(binding_resource, {})) {
        Json binding = request.lookup.document(*record);
        if (string_at(binding, {"spec", "policyName"}) == policy) bindings.push_back(std::move(binding));
    }
    return bindings;
}

Result<const KindSpec*, std::string> param_kind_of(const AdmissionRequest& request, const Json& policy) {
    const Json* wanted = find(policy, {"spec", "paramKind"});
    if (wanted == nullptr) return static_cast<const KindSpec*>(nullptr);
    const std::string_view text = string_at(*wanted, {"apiVersion"}), name = string_at(*wanted, {"kind"});
    const std::size_t slash = text.find('/');
    const std::string_view group = slash == std::string_view::npos ? std::string_view() : text.substr(0, slash);
    const std::string_view version = slash == std::string_view::npos ? text : text.substr(slash + 1);
    const KindSpec* kind = request.kinds.by_kind(group, version, name);
    if (kind != nullptr) return kind;
    return "failed to find resource referenced by paramKind: '" + std::string(group) + "/" + std::string(version) +
           ", Kind=" + std::string(name) + "'";
}

Result<Params, std::string> params_of(const AdmissionRequest& request, const KindSpec* kind, const Json& binding) {
    const Json* reference = find(binding, {"spec", "paramRef"});
    if (kind == nullptr || reference == nullptr) return Params(1);
    std::string_view space = string_at(*reference, {"namespace"});
    if (!kind->namespaced && !space.empty()) {
        return std::string("paramRef.namespace must not be provided for a cluster-scoped `paramKind`");
    }
    if (kind->namespaced && space.empty()) space = admission_namespace(request);
    if (kind->namespaced && space.empty()) {
        return std::string("cannot use namespaced paramRef in policy binding that matches cluster-scoped resources");
    }
    auto params = find_params(request, *kind, *reference, space);
    if (params && params->empty() && string_at(*reference, {"parameterNotFoundAction"}) == "Deny") {
        return std::string("no params found for policy binding with `Deny` parameterNotFoundAction");
    }
    return params;
}

ApiResult<std::optional<Json>> namespace_of_request(const AdmissionRequest& request) {
    if (request.is("namespaces") || request.namespace_name.empty()) return std::optional<Json>();
    const storage::RecordPtr record = request.lookup.get("namespaces", {}, request.namespace_name);
    if (record == nullptr) return Status::not_found({}, "namespaces", request.namespace_name);
    Json found = request.lookup.document(*record);
    for (const char* member : {"managedFields", "ownerReferences"}) erase(found["metadata"], member);
    return std::optional<Json>(std::move(found));
}

}  // namespace kubemu::api
