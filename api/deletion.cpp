// The decisions of a deletion.
#include "api/deletion.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/kinds/rules.h"
#include "api/values/field_errors.h"
#include "api/values/time.h"

namespace kubemu::api {
namespace {

constexpr std::string_view orphan = "orphan";
constexpr std::string_view foreground = "foregroundDeletion";

bool has_finalizer(const Json& object, std::string_view name) {
    const Json& finalizers = array_at(object, {"metadata", "finalizers"});
    return std::find(finalizers.begin(), finalizers.end(), name) != finalizers.end();
}

// The garbage collector's finalizers as the options, or those already there, ask. True when something changed.
bool set_collector_finalizers(Json& object, const DeleteOptions& options) {
    const std::string& policy = options.propagation_policy;
    const bool had_orphan = has_finalizer(object, orphan);
    const bool had_foreground = has_finalizer(object, foreground);
    const bool want_orphan = policy.empty() ? had_orphan : policy == "Orphan";
    const bool want_foreground = policy.empty() ? had_foreground : policy == "Foreground";
    if (want_orphan == had_orphan && want_foreground == had_foreground) return false;
    Json finalizers = Json::array();
    for (const Json& finalizer : array_at(object, {"metadata", "finalizers"})) {
        if (finalizer != orphan && finalizer != foreground) finalizers.push_back(finalizer);
    }
    if (want_orphan) finalizers.push_back(std::string(orphan));
    if (want_foreground) finalizers.push_back(std::string(foreground));
    Json& metadata = ensure(object, {"metadata"});
    if (finalizers.empty()) {
        erase(metadata, "finalizers");
    } else {
        metadata["finalizers"] = std::move(finalizers);
    }
    return true;
}

// Consumers of a marked object act differently, so the mark counts as a change of what is wanted.
void bump_generation(Json& metadata) {
    if (const std::int64_t generation = int_at(metadata, {"generation"}); generation > 0) {
        metadata["generation"] = generation + 1;
    }
}

std::int64_t grace_seconds(const Json& pod, const DeleteOptions& options) {
    std::int64_t period = options.grace_period_seconds ? *options.grace_period_seconds
                                                       : int_at(pod, {"spec", "terminationGracePeriodSeconds"}, 30);
    const std::string_view phase = string_at(pod, {"status", "phase"});
    // Nobody runs it: it is on no node yet, or over.
    if (string_at(pod, {"spec", "nodeName"}).empty() || phase == "Failed" || phase == "Succeeded") period = 0;
    return period < 0 ? 1 : period;
}

}  // namespace

bool pending_finalizers(const KindSpec& kind, const Json& object) {
    if (!array_at(object, {"metadata", "finalizers"}).empty()) return true;
    const KindRules* rules = rules_of(kind);
    return rules->has_pending_finalizers != nullptr && rules->has_pending_finalizers(object);
}

bool finished_deletion(const KindSpec& kind, const Json& object) {
    return find(object, {"metadata", "deletionTimestamp"}) != nullptr && !pending_finalizers(kind, object) &&
           int_at(object, {"metadata", "deletionGracePeriodSeconds"}) == 0;
}

Deletion plan_deletion(const KindSpec& kind, Json& object, const DeleteOptions& options, Time now) {
    Json& metadata = ensure(object, {"metadata"});
    const bool own_finalizers = rules_of(kind)->has_pending_finalizers != nullptr;
    if (find(metadata, "deletionTimestamp") != nullptr) {
        if (own_finalizers) return pending_finalizers(kind, object) ? Deletion::already_pending : Deletion::remove;
        const Json* remaining = find(metadata, "deletionGracePeriodSeconds");
        if (remaining != nullptr) {
            const std::int64_t before = remaining->get<std::int64_t>();
            const std::int64_t asked = std::max<std::int64_t>(options.grace_period_seconds.value_or(before), 0);
            // Only a shorter grace period may be asked for.
            if (!options.grace_period_seconds || asked >= before) return Deletion::already_pending;
            const Time end = parse_time_or_zero(string_at(metadata, {"deletionTimestamp"}));
            metadata["deletionTimestamp"] = format_time(end - std::chrono::seconds(before) + std::chrono::seconds(asked));
            metadata["deletionGracePeriodSeconds"] = asked;
            set_collector_finalizers(object, options);
            return pending_finalizers(kind, object) || asked > 0 ? Deletion::mark : Deletion::mark_and_remove;
        }
    } else if (kind.graceful_deletion) {
        const std::int64_t period = grace_seconds(object, options);
        metadata["deletionTimestamp"] = format_time(now + std::chrono::seconds(period));
        metadata["deletionGracePeriodSeconds"] = period;
        bump_generation(metadata);
        set_collector_finalizers(object, options);
        return pending_finalizers(kind, object) || period > 0 ? Deletion::mark : Deletion::mark_and_remove;
    }
    set_collector_finalizers(object, options);
    if (!pending_finalizers(kind, object)) return Deletion::remove;
    if (find(metadata, "deletionTimestamp") == nullptr) {
        metadata["deletionTimestamp"] = format_time(now);
        bump_generation(metadata);
    }
    if (own_finalizers) {
        ensure(object, {"status"})["phase"] = "Terminating";
    } else {
        metadata["deletionGracePeriodSeconds"] = 0;
    }
    return Deletion::mark;
}

void check_delete_options(const Json& options, FieldErrors& errors) {
    const Json* policy = find(options, "propagationPolicy");
    if (policy != nullptr && find(options, "orphanDependents") != nullptr) {
        errors.invalid(FieldPath("propagationPolicy"), *policy, "orphanDependents and deletionPropagation cannot be both set");
    }
    if (policy != nullptr) {
        const std::string_view text = policy->is_string() ? std::string_view(policy->get_ref<const std::string&>()) : "";
        if (text != "Foreground" && text != "Background" && text != "Orphan") {
            errors.not_supported(FieldPath("propagationPolicy"), text, {"Foreground", "Background", "Orphan", "nil"});
        }
    }
}

}  // namespace kubemu::api
