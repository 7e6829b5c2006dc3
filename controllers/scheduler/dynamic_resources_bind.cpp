// What was reserved is written into claims before the pod is bound, and taken out again when that fails.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/values/time.h"
#include "controllers/runtime/owner_refs.h"
#include "controllers/scheduler/dynamic_resources.h"
#include "storage/base/log.h"

namespace kubemu::controllers::scheduler {

using api::Json;

namespace {

constexpr std::string_view protection = "resource.kubernetes.io/delete-protection";
// DynamicResourcesArgs.bindingTimeout
constexpr Duration binding_timeout = std::chrono::minutes(10);

bool is_true(const Json& device, const Json& wanted, std::string* why = nullptr) {
    const std::string_view type = wanted.get_ref<const std::string&>();
    for (const Json& condition : api::array_at(device, {"conditions"})) {
        if (api::string_at(condition, {"type"}) != type || api::string_at(condition, {"status"}) != "True") continue;
        if (why != nullptr)
            *why = "reason=" + std::string(api::string_at(condition, {"reason"})) + ", message=\"" +
                   std::string(api::string_at(condition, {"message"})) + "\"";
        return true;
    }
    return false;
}

const Json* report_of(const Json& claim, const Json& result) {
    for (const Json& device : api::array_at(claim, {"status", "devices"})) {
        const auto same = [&](const char* member) {
            return api::string_at(device, {member}) == api::string_at(result, {member});
        };
        if (same("device") && same("driver") && same("pool")) return &device;
    }
    return nullptr;
}

struct Readiness {
    bool waits_at_all = false, ready = true;
    std::string failure;
};

// isClaimReadyForBinding
Readiness readiness_of(const Json& claim) {
    Readiness readiness;
    for (const Json& result : api::array_at(claim, {"status", "allocation", "devices", "results"})) {
        const Json& wanted = api::array_at(result, {"bindingConditions"});
        if (wanted.empty()) continue;
        readiness.waits_at_all = true;
        const Json* report = report_of(claim, result);
        if (report == nullptr) {
            readiness.ready = false;
            return readiness;
        }
        std::string why;
        for (const Json& type : api::array_at(result, {"bindingFailureConditions"})) {
            if (!is_true(*report, type, &why)) continue;
            readiness.failure = "device binding failed: claim=" + std::string(api::name_of(claim)) + ", " + why;
            readiness.ready = false;
            return readiness;
        }
        if (std::all_of(wanted.begin(), wanted.end(), [&](const Json& type) { return is_true(*report, type); }))
            continue;
        readiness.ready = false;
        return readiness;
    }
    return readiness;
}

std::optional<Time> deadline_of(const Json& claim) {
    const auto since = api::parse_time(api::string_at(claim, {"status", "allocation", "allocationTimestamp"}));
    return since ? std::optional<Time>(*since + binding_timeout) : std::nullopt;
}

}  // namespace

bool DynamicResources::has_failed(const PodClaim& claim) const {
    const Readiness readiness = readiness_of(*claim.document);
    if (!readiness.failure.empty()) return true;
    if (readiness.ready || !readiness.waits_at_all) return false;
    const auto deadline = deadline_of(*claim.document);
    return deadline && *deadline < manager_.clock().now();
}

DynamicResources::BindResult DynamicResources::bind(const PodInfo& pod, Reservation& reservation) {
    if (!reservation.written) {
        for (PodClaim& claim : reservation.claims) {
            if (!claim.extended && claim.reserved_for(pod.uid)) continue;
            std::string failed = claim.extended ? make_extended_claim(pod, claim) : std::string();
            if (failed.empty()) failed = write_claim(pod, claim);
            if (failed.empty() && claim.extended) failed = record_extended(pod, claim, *reservation.mappings);
            if (!failed.empty()) return {Bound::failed, failed, {}};
        }
        reservation.written = true;
    }
    return conditions(reservation);
}

// bindClaim
std::string DynamicResources::write_claim(const PodInfo& pod, PodClaim& claim) {
    std::string failed;
    const auto usable = [&](const Json& document) {
        if (api::uid_of(document) != claim.uid || api::find(document, {"metadata", "deletionTimestamp"}) != nullptr)
            failed = "claim " + claim.key + " got deleted in the meantime";
        else if (claim.made != nullptr && api::find(document, {"status", "allocation"}) != nullptr)
            failed = "claim " + claim.key + " got allocated elsewhere in the meantime";
        else if (claim.made == nullptr && api::find(document, {"status", "allocation"}) == nullptr)
            failed = "claim " + claim.key + " got deallocated elsewhere in the meantime";
        return failed.empty();
    };
    if (claim.made != nullptr) {
        const auto kept = client_.modify(claim_kind(), claim.namespace_name, claim.name, {}, [&](Json& document) {
            return usable(document) && add_finalizer(document, protection);
        });
        if (!kept && failed.empty()) failed = "add finalizer to claim " + claim.key + ": " + kept.error()->message;
        if (!failed.empty()) return failed;
    }
    const std::string now = api::format_time(manager_.clock().now());
    const auto written = client_.modify(claim_kind(), claim.namespace_name, claim.name, "status", [&](Json& document) {
        if (!usable(document)) return false;
        Json& status = api::ensure(document, {"status"});
        if (claim.made != nullptr) {
            status["allocation"] = *claim.made;
            status["allocation"]["allocationTimestamp"] = now;
        }
        if (!status["reservedFor"].is_array()) status["reservedFor"] = Json::array();
        status["reservedFor"].push_back({{"resource", "pods"}, {"name", pod.name}, {"uid", pod.uid}});
        return true;
    });
    if (!failed.empty()) return failed;
    const char* what = claim.made != nullptr ? "add allocation and reservation to claim " : "add reservation to claim ";
    if (!written) return what + claim.key + ": " + written.error()->message;
    claim.document = client_.read(**written);
    if (const auto pending = pending_.find(claim.key); pending != pending_.end()) {
        const storage::RecordPtr seen = claims_.get(claim.key);
        pending->second.written = (*written)->revision;
        if (seen != nullptr && seen->revision >= (*written)->revision) pending_.erase(pending);
    }
    return {};
}

DynamicResources::BindResult DynamicResources::conditions(Reservation& reservation) const {
    bool waits_at_all = false;
    std::optional<Time> until;
    std::string timed_out;
    bool ready = true;
    const Time now = manager_.clock().now();
    for (PodClaim& claim : reservation.claims) {
        const auto newest = client_.get(claim_kind(), claim.namespace_name, claim.name);
        if (!newest) return {Bound::failed, newest.error()->message, {}};
        claim.document = client_.read(**newest);
        const Readiness readiness = readiness_of(*claim.document);
        if (!readiness.failure.empty()) return {Bound::failed, readiness.failure, {}};
        waits_at_all = waits_at_all || readiness.waits_at_all;
        if (readiness.ready) continue;
        ready = false;
        until = deadline_of(*claim.document).value_or(now + binding_timeout);
        if (*until <= now) return {Bound::failed, "device binding timeout: claim=" + claim.name, {}};
        break;
    }
    if (ready || !waits_at_all) return {Bound::ready, {}, {}};
    return {Bound::waiting, {}, until};
}

void DynamicResources::forget(const Reservation& reservation) {
    for (const PodClaim& claim : reservation.claims) {
        const auto pending = pending_.find(claim.key);
        if (claim.made != nullptr && pending != pending_.end() && pending->second.written == 0) pending_.erase(pending);
    }
}

void DynamicResources::release(const PodInfo& pod, Reservation& reservation) {
    forget(reservation);
    for (const PodClaim& claim : reservation.claims) {
        if (claim.extended) {
            if (claim.name.empty()) continue;
            const std::string failed = delete_claim(claim);
            if (!failed.empty())
                log_line(LogLevel::info, "claim could not be deleted", {{"claim", claim.key}, {"why", failed}});
            continue;
        }
        if (!claim.allocated() || !claim.reserved_for(pod.uid)) continue;
        const auto written =
            client_.modify(claim_kind(), claim.namespace_name, claim.name, "status", [&](Json& document) {
                if (api::uid_of(document) != claim.uid) return false;
                Json* consumers = api::find(document, {"status", "reservedFor"});
                if (consumers == nullptr) return false;
                const auto gone = std::remove_if(consumers->begin(), consumers->end(), [&](const Json& consumer) {
                    return api::string_at(consumer, {"uid"}) == pod.uid;
                });
                const bool changed = gone != consumers->end();
                consumers->erase(gone, consumers->end());
                return changed;
            });
        if (!written && written.error().code() != 404)
            log_line(LogLevel::info, "reservation could not be taken back",
                     {{"claim", claim.key}, {"why", written.error()->message}});
    }
}

std::string DynamicResources::delete_claim(const PodClaim& claim) {
    const auto freed = client_.modify(claim_kind(), claim.namespace_name, claim.name, {},
                                      [](Json& document) { return drop_finalizer(document, protection); });
    if (!freed) return freed.error()->message;
    const auto removed = client_.remove(claim_kind(), claim.namespace_name, claim.name);
    return removed ? std::string() : removed.error()->message;
}

}  // namespace kubemu::controllers::scheduler
