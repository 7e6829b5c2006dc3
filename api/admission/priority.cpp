// Priority: a pod's class becomes its number; there is one default class (kubernetes plugin/pkg/admission/priority).
#include <nlohmann/json.hpp>
#include <optional>

#include "api/admission/chain.h"

namespace kubemu::api {
namespace {

constexpr std::string_view classes = "priorityclasses.scheduling.k8s.io";

// Should there be several, that with the lowest value.
std::optional<Json> default_class(const Lookup& lookup) {
    std::optional<Json> found;
    for (const storage::RecordPtr& record : lookup.list(classes, {})) {
        Json document = lookup.document(*record);
        if (!bool_at(document, {"globalDefault"})) continue;
        if (!found || int_at(document, {"value"}) < int_at(*found, {"value"})) found = std::move(document);
    }
    return found;
}

ApiResult<bool> resolve(const AdmissionRequest& request, Json& spec) {
    const std::string name(string_at(spec, {"priorityClassName"}));
    Json chosen = {{"value", 0}, {"preemptionPolicy", "PreemptLowerPriority"}};
    if (!name.empty()) {
        const storage::RecordPtr record = request.lookup.get(classes, {}, name);
        if (record == nullptr) return request.forbidden("no PriorityClass with name " + name + " was found");
        chosen = request.lookup.document(*record);
    } else if (auto fallback = default_class(request.lookup)) {
        chosen = std::move(*fallback);
        spec["priorityClassName"] = name_of(chosen);
    }
    const std::int64_t value = int_at(chosen, {"value"});
    if (find(spec, "priority") != nullptr && int_at(spec, {"priority"}) != value) {
        return request.forbidden("the integer value of priority (" + std::to_string(int_at(spec, {"priority"})) +
                                 ") must not be provided in pod spec; priority admission controller computed " +
                                 std::to_string(value) + " from the given PriorityClass name");
    }
    spec["priority"] = value;
    const std::string policy(string_at(chosen, {"preemptionPolicy"}));
    if (policy.empty()) return true;
    const std::string given(string_at(spec, {"preemptionPolicy"}, policy));
    if (given != policy) {
        return request.forbidden("the string value of PreemptionPolicy (" + given +
                                 ") must not be provided in pod spec; priority admission controller computed " +
                                 policy + " from the given PriorityClass name");
    }
    spec["preemptionPolicy"] = policy;
    return true;
}

}  // namespace

ApiResult<bool> priority_mutate(AdmissionRequest& request) {
    if (!request.is("pods") || !request.subresource.empty() || request.object == nullptr) return true;
    Json& spec = ensure(*request.object, {"spec"});
    if (request.operation == AdmissionRequest::Operation::create) return resolve(request, spec);
    // Whoever replaces a pod need not know what was computed.
    for (const char* member : {"priority", "preemptionPolicy"}) {
        const Json* before = find(*request.old, {"spec", member});
        if (find(spec, member) == nullptr && before != nullptr) spec[member] = *before;
    }
    return true;
}

ApiResult<bool> priority_validate(AdmissionRequest& request) {
    if (!request.is(classes) || request.object == nullptr || !bool_at(*request.object, {"globalDefault"})) return true;
    const auto other = default_class(request.lookup);
    if (!other) return true;
    const bool creates = request.operation == AdmissionRequest::Operation::create;
    if (!creates && name_of(*other) == name_of(*request.object)) return true;
    return request.forbidden("PriorityClass " + std::string(name_of(*other)) +
                             " is already marked as default. Only one default can exist");
}

}  // namespace kubemu::api
