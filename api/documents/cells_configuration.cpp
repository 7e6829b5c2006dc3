// Cells of the kinds that configure the server: admission, certificates, flow control, aggregation,
// addresses, devices.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/documents/cells.h"
#include "api/values/text.h"
#include "api/values/time.h"

namespace kubemu::api::cells {
namespace {

const std::string none = "<none>", unset = "<unset>";

const Json* condition_of(const Json& object, std::string_view type) {
    for (const Json& condition : array_at(object, {"status", "conditions"})) {
        if (string_at(condition, {"type"}) == type) return &condition;
    }
    return nullptr;
}

Json number_or_none(const Json* value) {
    return value == nullptr ? Json(none) : *value;
}

}  // namespace

// ---------------------------------------------------------------- admissionregistration.k8s.io

Json webhook_configuration_webhooks(const Json& o, const CellContext&) {
    return array_at(o, {"webhooks"}).size();
}
Json admission_policy_validations(const Json& o, const CellContext&) {
    return array_at(o, {"spec", "validations"}).size();
}
Json admission_policy_mutations(const Json& o, const CellContext&) {
    return array_at(o, {"spec", "mutations"}).size();
}
Json admission_policy_param_kind(const Json& o, const CellContext&) {
    const Json* kind = find(o, {"spec", "paramKind"});
    if (kind == nullptr) return unset;
    return std::string(string_at(*kind, {"apiVersion"})) + "/" + std::string(string_at(*kind, {"kind"}));
}
Json admission_policy_binding_param_ref(const Json& o, const CellContext&) {
    const Json* reference = find(o, {"spec", "paramRef"});
    if (reference == nullptr) return unset;
    const std::string name(string_at(*reference, {"name"})), space(string_at(*reference, {"namespace"}));
    if (!name.empty()) return (space.empty() ? "*" : space) + "/" + name;
    const Json* selector = find(*reference, "selector");
    return selector == nullptr ? unset : selector->dump();
}

// ---------------------------------------------------------------- certificates.k8s.io

Json certificate_request_signer(const Json& o, const CellContext&) {
    const std::string signer(string_at(o, {"spec", "signerName"}));
    return signer.empty() ? none : signer;
}
Json certificate_request_duration(const Json& o, const CellContext&) {
    const Json* seconds = find(o, {"spec", "expirationSeconds"});
    if (seconds == nullptr) return none;
    return human_duration(std::chrono::seconds(int_at(o, {"spec", "expirationSeconds"})));
}
Json certificate_request_condition(const Json& o, const CellContext&) {
    std::string text = "Pending";
    if (condition_of(o, "Approved") != nullptr) text = "Approved";
    if (condition_of(o, "Denied") != nullptr) text = "Denied";
    if (condition_of(o, "Failed") != nullptr) text += ",Failed";
    if (!string_at(o, {"status", "certificate"}).empty()) text += ",Issued";
    return text;
}

// ---------------------------------------------------------------- flowcontrol.apiserver.k8s.io

Json flow_schema_precedence(const Json& o, const CellContext&) {
    return int_at(o, {"spec", "matchingPrecedence"});
}
Json flow_schema_distinguisher(const Json& o, const CellContext&) {
    const std::string type(string_at(o, {"spec", "distinguisherMethod", "type"}));
    return type.empty() ? none : type;
}
Json flow_schema_missing_level(const Json& o, const CellContext&) {
    const Json* dangling = condition_of(o, "Dangling");
    return dangling == nullptr ? "?" : std::string(string_at(*dangling, {"status"}));
}
Json priority_level_shares(const Json& o, const CellContext&) {
    return number_or_none(find(o, {"spec", "limited", "nominalConcurrencyShares"}));
}
Json priority_level_queues(const Json& o, const CellContext&) {
    return number_or_none(find(o, {"spec", "limited", "limitResponse", "queuing", "queues"}));
}
Json priority_level_hand_size(const Json& o, const CellContext&) {
    return number_or_none(find(o, {"spec", "limited", "limitResponse", "queuing", "handSize"}));
}
Json priority_level_queue_length(const Json& o, const CellContext&) {
    return number_or_none(find(o, {"spec", "limited", "limitResponse", "queuing", "queueLengthLimit"}));
}

// ---------------------------------------------------------------- apiregistration.k8s.io

Json api_service_service(const Json& o, const CellContext&) {
    const Json* service = find(o, {"spec", "service"});
    if (service == nullptr) return "Local";
    return std::string(string_at(*service, {"namespace"})) + "/" + std::string(string_at(*service, {"name"}));
}
Json api_service_available(const Json& o, const CellContext&) {
    const Json* available = condition_of(o, "Available");
    if (available == nullptr) return "Unknown";
    const std::string status(string_at(*available, {"status"})), reason(string_at(*available, {"reason"}));
    return status == "True" || reason.empty() ? status : status + " (" + reason + ")";
}

// ---------------------------------------------------------------- networking.k8s.io and resource.k8s.io

Json ip_address_parent(const Json& o, const CellContext&) {
    const Json* parent = find(o, {"spec", "parentRef"});
    if (parent == nullptr) return none;
    const std::string group(string_at(*parent, {"group"})), space(string_at(*parent, {"namespace"}));
    std::string text(string_at(*parent, {"resource"}));
    if (!group.empty()) text += "." + group;
    text = lower(text);
    if (!space.empty()) text += "/" + space;
    return text + "/" + std::string(string_at(*parent, {"name"}));
}
Json service_cidr_cidrs(const Json& o, const CellContext&) {
    std::vector<std::string> cidrs;
    for (const Json& cidr : array_at(o, {"spec", "cidrs"}))
        cidrs.push_back(cidr.is_string() ? cidr.get<std::string>() : "");
    return join(cidrs, ",");
}
Json resource_claim_state(const Json& o, const CellContext&) {
    std::vector<std::string> states;
    const bool deleting = find(o, {"metadata", "deletionTimestamp"}) != nullptr;
    if (deleting) states.emplace_back("deleted");
    if (find(o, {"status", "allocation"}) == nullptr) {
        if (!deleting) states.emplace_back("pending");
    } else {
        states.emplace_back("allocated");
        if (!array_at(o, {"status", "reservedFor"}).empty()) states.emplace_back("reserved");
    }
    return join(states, ",");
}

}  // namespace kubemu::api::cells
