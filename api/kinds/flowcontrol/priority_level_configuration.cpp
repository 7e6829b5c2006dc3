// Rules of PriorityLevelConfiguration, and of its beta versions, which called the shares otherwise or knew no
// zero (kubernetes pkg/apis/flowcontrol/validation, pkg/apis/flowcontrol/v1beta{2,3}/conversion.go).
#include <cmath>
#include <nlohmann/json.hpp>

#include "api/kinds/define.h"
#include "api/kinds/flowcontrol/flowcontrol.h"
#include "api/kinds/flowcontrol/status.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/validation.h"

namespace kubemu::api::kinds {
namespace {

constexpr std::int64_t queues_max = 10000000;
constexpr int hash_bits_max = 60;
constexpr const char* zero_annotation = "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares";

// shufflesharding.RequiredEntropyBits
int entropy_bits(std::int64_t deck, std::int64_t hand) {
    return static_cast<int>(std::ceil(std::log2(static_cast<double>(deck)) * static_cast<double>(hand)));
}

void validate_queuing(const Json& queuing, const FieldPath& path, FieldErrors& errors) {
    const std::int64_t queues = int_at(queuing, {"queues"}), hand = int_at(queuing, {"handSize"});
    const std::int64_t length = int_at(queuing, {"queueLengthLimit"});
    if (length <= 0) errors.invalid(path.child("queueLengthLimit"), length, "must be positive");
    if (queues <= 0) {
        errors.invalid(path.child("queues"), queues, "must be positive");
    } else if (queues > queues_max) {
        errors.invalid(path.child("queues"), queues,
                       "must not be greater than " + std::to_string(queues_max));
    }
    if (hand <= 0) {
        errors.invalid(path.child("handSize"), hand, "must be positive");
    } else if (hand > queues) {
        errors.invalid(path.child("handSize"), hand,
                       "should not be greater than queues (" + std::to_string(queues) + ")");
    } else if (entropy_bits(queues, hand) > hash_bits_max) {
        errors.invalid(path.child("handSize"), hand,
                       "required entropy bits of deckSize " + std::to_string(queues) + " and handSize " +
                           std::to_string(hand) + " should not be greater than 60");
    }
}

void validate_response(const Json& response, const FieldPath& path, FieldErrors& errors) {
    const std::string type(string_at(response, {"type"}));
    const Json* queuing = find(response, "queuing");
    if (type == "Reject") {
        if (queuing != nullptr)
            errors.forbidden(path.child("queuing"),
                             "must be nil if limited.limitResponse.type is not Limited");
    } else if (type == "Queue") {
        if (queuing == nullptr) {
            errors.required(path.child("queuing"),
                            "must not be empty if limited.limitResponse.type is Limited");
        } else {
            validate_queuing(*queuing, path.child("queuing"), errors);
        }
    } else {
        errors.not_supported(path.child("type"), type, {"Queue", "Reject"});
    }
}

void validate_lendable(const Json& object, const FieldPath& path, FieldErrors& errors) {
    const Json* percent = find(object, "lendablePercent");
    if (percent == nullptr || !percent->is_number()) return;
    const auto value = percent->get<std::int64_t>();
    if (value < 0 || value > 100)
        errors.invalid(path.child("lendablePercent"), *percent, "must be between 0 and 100, inclusive");
}

void validate_limited(const Json& limited, const HookContext& context, const FieldPath& path,
                      FieldErrors& errors) {
    const bool old_name = context.kind.version == "v1beta1" || context.kind.version == "v1beta2";
    const std::int64_t shares = int_at(limited, {"nominalConcurrencyShares"});
    const FieldPath at = path.child(old_name ? "assuredConcurrencyShares" : "nominalConcurrencyShares");
    if (context.kind.version == "v1" ? shares < 0 : shares <= 0) {
        errors.invalid(at, shares,
                       context.kind.version == "v1" ? "must be a non-negative integer" : "must be positive");
    }
    validate_response(object_at(limited, {"limitResponse"}), path.child("limitResponse"), errors);
    validate_lendable(limited, path, errors);
    if (const Json* limit = find(limited, "borrowingLimitPercent");
        limit != nullptr && int_at(limited, {"borrowingLimitPercent"}) < 0) {
        errors.invalid(path.child("borrowingLimitPercent"), *limit,
                       "if specified, must be a non-negative integer");
    }
}

void validate_mandatory(const Json& object, const FieldPath& path, FieldErrors& errors) {
    constexpr GoField fields[] = {{"Type", "type", "string"},
                                  {"Limited", "limited", "*flowcontrol.LimitedPriorityLevelConfiguration"},
                                  {"Exempt", "exempt", "*flowcontrol.ExemptPriorityLevelConfiguration"}};
    const std::string name(name_of(object));
    for (std::size_t i = 0; i < mandatory_flow_control_objects; ++i) {
        const Json& known = bootstrap_priority_levels()[i];
        if (name_of(known) != name) continue;
        Json have = object_at(object, {"spec"}), want = known.at("spec");
        const bool exempt = name == "exempt";  // of which its own part may be changed
        if (exempt) {
            erase(have, "exempt");
            erase(want, "exempt");
        }
        if (have == want) return;
        errors.invalid(
            path,
            go_struct("flowcontrol.PriorityLevelConfigurationSpec", fields, object_at(object, {"spec"})),
            "spec of '" + name + "' " + (exempt ? "except the 'spec.exempt' field " : "") +
                "must equal the fixed value");
    }
}

void validate(const Json& object, const HookContext& context, FieldErrors& errors) {
    const FieldPath path("spec");
    const Json& spec = object_at(object, {"spec"});
    const std::string type(string_at(spec, {"type"}));
    const Json* limited = find(spec, "limited");
    const Json* exempt = find(spec, "exempt");
    if ((name_of(object) == "exempt") != (type == "Exempt")) {
        errors.invalid(path.child("type"), type, "type must be 'Exempt' if and only if `name` is 'exempt'");
    }
    if (type == "Exempt") {
        if (limited != nullptr)
            errors.forbidden(path.child("limited"), "must be nil if the type is not Limited");
        if (exempt != nullptr) {
            const std::int64_t shares = int_at(*exempt, {"nominalConcurrencyShares"});
            const FieldPath at = path.child("exempt");
            if (shares < 0)
                errors.invalid(at.child("nominalConcurrencyShares"), shares,
                               "must be a non-negative integer");
            validate_lendable(*exempt, at, errors);
        }
    } else if (type == "Limited") {
        if (exempt != nullptr) errors.forbidden(path.child("exempt"), "must be nil if the type is Limited");
        if (limited == nullptr) {
            errors.required(path.child("limited"), "must not be empty when type is Limited");
        } else {
            validate_limited(*limited, context, path.child("limited"), errors);
        }
    } else {
        errors.not_supported(path.child("type"), type, {"Exempt", "Limited"});
    }
    validate_mandatory(object, path, errors);
}

// ---------------------------------------------------------------- beta versions

void rename_shares(Json& object, const char* from, const char* to) {
    Json* limited = find(object, {"spec", "limited"});
    if (limited == nullptr) return;
    const Json* shares = find(*limited, from);
    if (shares == nullptr) return;
    const Json value = *shares;
    erase(*limited, from);
    (*limited)[to] = value;
}

void v1beta2_to_storage(Json& object) {
    rename_shares(object, "assuredConcurrencyShares", "nominalConcurrencyShares");
}
void v1beta2_from_storage(Json& object) {
    rename_shares(object, "nominalConcurrencyShares", "assuredConcurrencyShares");
}

// v1beta3 cannot tell zero from nothing, which means 30; an annotation tells.
void v1beta3_to_storage(Json& object) {
    Json* annotations = find(object, {"metadata", "annotations"});
    if (annotations == nullptr || find(*annotations, zero_annotation) == nullptr) return;
    erase(*annotations, zero_annotation);
    if (annotations->empty()) erase(object["metadata"], "annotations");
    Json* limited = find(object, {"spec", "limited"});
    if (limited != nullptr && find(*limited, "nominalConcurrencyShares") == nullptr)
        (*limited)["nominalConcurrencyShares"] = 0;
}

void v1beta3_from_storage(Json& object) {
    const Json* limited = find(object, {"spec", "limited"});
    if (limited == nullptr || int_at(*limited, {"nominalConcurrencyShares"}) != 0) return;
    ensure(object, {"metadata", "annotations"})[zero_annotation] = "";
}

void v1beta3_defaults(Json& object, const HookContext&) {
    const bool keeps_zero = find(object, {"metadata", "annotations", zero_annotation}) != nullptr;
    Json* limited = find(object, {"spec", "limited"});
    if (limited != nullptr && !keeps_zero && int_at(*limited, {"nominalConcurrencyShares"}) == 0)
        (*limited)["nominalConcurrencyShares"] = 30;
}

void validate_v1beta2(const Json& object, const HookContext& context, FieldErrors& errors) {
    Json stored = object;
    v1beta2_to_storage(stored);
    validate(stored, context, errors);
}

void validate_v1beta3(const Json& object, const HookContext& context, FieldErrors& errors) {
    Json stored = object;
    v1beta3_to_storage(stored);
    validate(stored, context, errors);
}

}  // namespace

KUBEMU_RULES(priority_level_configuration_rules){.prepare_for_status_update = keep_flow_control_metadata,
                                                 .validate = validate,
                                                 .validate_status_update = validate_flow_control_status};
KUBEMU_RULES(priority_level_configuration_v1beta2_rules){
    .prepare_for_status_update = keep_flow_control_metadata,
    .validate = validate_v1beta2,
    .validate_status_update = validate_flow_control_status,
    .to_storage = v1beta2_to_storage,
    .from_storage = v1beta2_from_storage};
KUBEMU_RULES(priority_level_configuration_v1beta3_rules){
    .set_defaults = v1beta3_defaults,
    .prepare_for_status_update = keep_flow_control_metadata,
    .validate = validate_v1beta3,
    .validate_status_update = validate_flow_control_status,
    .to_storage = v1beta3_to_storage,
    .from_storage = v1beta3_from_storage};

}  // namespace kubemu::api::kinds
