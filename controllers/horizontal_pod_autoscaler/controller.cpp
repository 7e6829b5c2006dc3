// Target, pods, metrics, limits, and the new size.
#include "controllers/horizontal_pod_autoscaler/controller.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "api/kind_registry.h"
#include "api/registry.h"
#include "api/selector/label.h"
#include "api/subresources/subresources.h"
#include "api/values/quantity.h"
#include "api/values/time.h"
#include "api/custom_metrics.h"
#include "controllers/runtime/owner_refs.h"

namespace kubemu::controllers {
namespace {

using api::Json;

constexpr Duration sync_period = std::chrono::seconds(15);
constexpr const char* scaled_resources[] = {"deployments.apps", "replicasets.apps", "statefulsets.apps", "replicationcontrollers"};

}  // namespace

struct HorizontalPodAutoscalerController::Look {
    storage::RecordPtr record;
    Json autoscaler, reference, status;
    const api::KindSpec* target_kind = nullptr;
    std::string target_name;
    std::int64_t current = 0, status_replicas = 0;
    api::LabelSelector selector;
    std::vector<Json> pods;
    Json metrics = Json::array();  // for status.currentMetrics
    std::int64_t recommended = 0;
    std::string metric_name, error;
    Time now{};

    const api::ObjectView& view() const { return api::view_of(*record); }
    void condition(const char* type, bool holds, const std::string& reason, const std::string& message) {
        Json& conditions = status["conditions"];
        if (!conditions.is_array()) conditions = Json::array();
        const std::string value = holds ? "True" : "False", time = api::format_time(now);
        for (Json& one : conditions) {
            if (api::string_at(one, {"type"}) != type) continue;
            if (api::string_at(one, {"status"}) != value) one["lastTransitionTime"] = time;
            one.update({{"status", value}, {"reason", reason}, {"message", message}});
            return;
        }
        conditions.push_back({{"type", type}, {"status", value}, {"lastTransitionTime", time}, {"reason", reason}, {"message", message}});
    }
};

HorizontalPodAutoscalerController::HorizontalPodAutoscalerController(Manager& manager, const api::AggregatedServices* services,
                                                                     api::RemoteCaller* remote)
    : Controller(manager, "horizontalpodautoscaling", "horizontal-pod-autoscaler"),
      autoscalers_(manager.informer("horizontalpodautoscalers.autoscaling")),
      pods_(manager.informer("pods")),
      adapters_(manager, services, remote, [this](const std::string& key) { enqueue(key); }),
      sources_(manager, client(), adapters_) {
    autoscalers_.subscribe([this](const api::Informer::Change& change) {
        // Of two times for one autoscaler the earlier counts: a change does not bring the next look forward.
        if (change.after) return enqueue_after(change.after->key, sync_period);
        history_.erase(api::view_of(*change.before).uid);
        adapters_.forget(change.before->key);
        selectors_.erase(change.before->key);
    });
}

// Why the Scale of a custom resource cannot be had; empty when it could.
std::string HorizontalPodAutoscalerController::read_custom_scale(Look& look, const Json& object) {
    const auto scale = api::read_scale(*look.target_kind, object);
    if (!scale) return scale.error()->message;
    look.current = api::int_at(*scale, {"spec", "replicas"});
    look.status_replicas = api::int_at(*scale, {"status", "replicas"});
    auto selector = api::LabelSelector::parse(api::string_at(*scale, {"status", "selector"}));
    if (!selector) return "couldn't convert selector into a corresponding internal selector object: " + selector.error();
    look.selector = std::move(*selector);
    return {};
}

bool HorizontalPodAutoscalerController::find_target(Look& look) {
    const Json& target = api::object_at(look.autoscaler, {"spec", "scaleTargetRef"});
    const std::string version(api::string_at(target, {"apiVersion"})), kind_name(api::string_at(target, {"kind"}));
    const std::size_t slash = version.find('/');
    const std::string group = slash == std::string::npos ? "" : version.substr(0, slash);
    look.target_name = api::string_at(target, {"name"});
    for (const char* resource : scaled_resources) {
        const api::KindSpec& candidate = kind(resource);
        if (candidate.kind == kind_name && candidate.group == group) look.target_kind = &candidate;
    }
    if (look.target_kind == nullptr) {
        // Custom resources count too when they have the scale subresource.
        const api::KindSpec* custom =
            manager().registry().kinds().by_kind(group, slash == std::string::npos ? version : version.substr(slash + 1), kind_name);
        if (custom != nullptr && custom->custom != nullptr && custom->subresource("scale") != nullptr) look.target_kind = custom;
    }
    std::string error;
    if (look.target_kind == nullptr) {
        error = "no matches for kind \"" + kind_name + "\" in group \"" + group + "\"";
    } else {
        const auto found = client().get(*look.target_kind, look.view().namespace_name, look.target_name);
        if (!found) {
            const bool missing = found.error().code() == 404;
            error = (missing ? api::missing_scale(*look.target_kind, look.target_name) : found.error())->message;
        } else if (look.target_kind->custom != nullptr) {
            error = read_custom_scale(look, client().document(**found));
        } else {
            const Json object = client().document(**found);
            look.current = api::int_at(object, {"spec", "replicas"}, 1);
            look.status_replicas = api::int_at(object, {"status", "replicas"});
            const Json* selector = api::find(object, {"spec", "selector"});
            const bool plain = look.target_kind->kind == "ReplicationController";
            const Json nothing;
            look.selector = plain ? api::LabelSelector::from_map(selector ? *selector : nothing)
                                  : api::LabelSelector::from_object(selector ? *selector : nothing);
        }
    }
    if (error.empty()) {
        look.condition("AbleToScale", true, "SucceededGetScale", "the HPA controller was able to get the target's current scale");
        return true;
    }
    look.error = error;
    look.condition("AbleToScale", false, "FailedGetScale",
                   "the HPA controller was unable to get the target's current scale: " + error);
    return false;
}

bool HorizontalPodAutoscalerController::find_pods(Look& look) {
    const std::string selector = look.selector.text();
    if (selector.empty()) {
        events().warning(look.reference, "SelectorRequired", "selector is required");
        look.condition("ScalingActive", false, "InvalidSelector", "the HPA target's scale is missing a selector");
        look.error = "selector is required";
        return false;
    }
    selectors_[look.record->key] = look.selector;
    std::set<std::string> others;
    for (const auto& pod : pods_.list(look.view().namespace_name)) {
        if (!look.selector.matches(api::view_of(*pod).labels)) continue;
        look.pods.push_back(client().document(*pod));
        for (const auto& [key, other] : selectors_) {
            const std::size_t slash = key.find('/');
            if (key.substr(0, slash) == look.view().namespace_name && other.matches(api::view_of(*pod).labels))
                others.insert("{" + key.substr(slash + 1) + " " + key.substr(0, slash) + "}");
        }
    }
    if (others.size() < 2) return true;
    std::string list;
    for (const std::string& other : others) list += (list.empty() ? "" : " ") + other;
    look.error = "pods by selector " + selector + " are controlled by multiple HPAs: [" + list + "]";
    events().warning(look.reference, "AmbiguousSelector", look.error);
    look.condition("ScalingActive", false, "AmbiguousSelector", look.error);
    return false;
}

// The largest proposal of all metrics. One that fails is passed over as long as the others ask for more.
bool HorizontalPodAutoscalerController::recommend(Look& look) {
    if (!find_pods(look)) return false;
    const Json& metrics = api::array_at(look.autoscaler, {"spec", "metrics"});
    const MetricContext context{look.autoscaler, look.pods, look.view().namespace_name, look.selector, look.current,
                                look.status_replicas, look.now};
    std::vector<std::pair<MetricOutcome, Json>> outcomes;
    for (const Json& metric : metrics) {
        Json status;
        MetricOutcome outcome = sources_.ask(context, metric, status);
        outcomes.emplace_back(std::move(outcome), std::move(status));
    }
    if (adapters_.missing()) return false;
    std::size_t failed = 0;
    MetricOutcome first;
    for (auto& [outcome, status] : outcomes) {
        // What could not be had stands there without a word, as in the real one's status.
        look.metrics.push_back(outcome.error.empty() ? std::move(status) : Json{{"type", ""}});
        if (!outcome.error.empty()) {
            events().warning(look.reference, outcome.reason, outcome.error);
            if (failed++ == 0) first = std::move(outcome);
        } else if (look.recommended == 0 || outcome.replicas > look.recommended) {
            look.recommended = outcome.replicas;
            look.metric_name = outcome.name;
        }
    }
    if (failed >= metrics.size() || (failed > 0 && look.recommended < look.current)) {
        look.condition("ScalingActive", false, first.reason, "the HPA was unable to compute the replica count: " + first.error);
        look.error = "invalid metrics (" + std::to_string(failed) + " invalid out of " + std::to_string(metrics.size()) +
                     "), first error is: " + first.outer + first.error;
        return false;
    }
    look.condition("ScalingActive", true, "ValidMetricFound",
                   "the HPA was able to successfully calculate a replica count from " + look.metric_name);
    return true;
}

api::ApiResult<bool> HorizontalPodAutoscalerController::rescale(Look& look, std::int64_t replicas, const std::string& why) {
    const auto written = client().modify(*look.target_kind, look.view().namespace_name, look.target_name, "scale",
                                         [replicas, &look](Json& object) {
                                             const Json scale = {{"spec", {{"replicas", replicas}}}};
                                             return api::apply_scale(*look.target_kind, object, scale).has_value();
                                         });
    const std::string size = "New size: " + std::to_string(replicas) + "; reason: " + why;
    if (!written) {
        events().warning(look.reference, "FailedRescale", size + "; error: " + written.error()->message);
        look.condition("AbleToScale", false, "FailedUpdateScale",
                       "the HPA controller was unable to update the target scale: " + written.error()->message);
        return written.error();
    }
    look.condition("AbleToScale", true, "SucceededRescale",
                   "the HPA controller was able to update the target scale to " + std::to_string(replicas));
    events().normal(look.reference, "SuccessfulRescale", size);
    if (api::find(look.autoscaler, {"spec", "behavior"}) != nullptr) {
        remember_scaling(history_[look.view().uid], look.current, replicas, now());
    }
    look.status["lastScaleTime"] = api::format_time(now());
    return true;
}

// With the number of replicas there are and the metrics of this look.
api::ApiResult<bool> HorizontalPodAutoscalerController::write_sizes(Look& look) {
    look.status["currentReplicas"] = look.current;
    if (look.metrics.empty()) look.status.erase("currentMetrics");
    else look.status["currentMetrics"] = look.metrics;
    return write_status(look);
}

api::ApiResult<bool> HorizontalPodAutoscalerController::write_status(Look& look) {
    if (look.status == api::object_at(look.autoscaler, {"status"})) return true;
    const auto written = client().modify(kind("horizontalpodautoscalers.autoscaling"), look.view().namespace_name,
                                         look.view().name, "status", [&look](Json& object) {
                                             if (api::uid_of(object) != look.view().uid) return false;
                                             object["status"] = look.status;
                                             return true;
                                         });
    if (!written && written.error().code() != 404) return written.error();
    return true;
}

api::ApiResult<Requeue> HorizontalPodAutoscalerController::reconcile(const std::string& key) {
    Look look;
    look.record = autoscalers_.get(key);
    if (!look.record) return Requeue{};
    look.autoscaler = client().document(*look.record);
    look.reference = object_reference(kind("horizontalpodautoscalers.autoscaling"), *look.record);
    look.status = api::object_at(look.autoscaler, {"status"});
    look.now = now();
    if (!adapters_.begin(key)) return Requeue{};
    const auto done = scale(look);
    if (adapters_.wait(key)) return Requeue{};
    return done;
}

api::ApiResult<Requeue> HorizontalPodAutoscalerController::scale(Look& look) {
    ScaleHistory& history = history_[look.view().uid];
    if (!find_target(look)) {
        events().warning(look.reference, "FailedGetScale", look.error);
        TRY(write_status(look));
        return Requeue{sync_period};
    }
    if (history.recommendations.empty()) history.recommendations.push_back({now(), look.current});
    const Limits limits{look.current, api::int_at(look.autoscaler, {"spec", "minReplicas"}, 1), api::int_at(look.autoscaler, {"spec", "maxReplicas"})};
    std::int64_t desired = look.current;
    std::string why;
    if (look.current == 0) {
        look.condition("ScalingActive", false, "ScalingDisabled", "scaling is disabled since the replica count of the target is zero");
    } else if (look.current > limits.most) {
        why = "Current number of replicas above Spec.MaxReplicas";
        desired = limits.most;
    } else if (look.current < limits.least) {
        why = "Current number of replicas below Spec.MinReplicas";
        desired = limits.least;
    } else if (!recommend(look)) {
        if (adapters_.missing()) return Requeue{};
        TRY(write_sizes(look));
        events().warning(look.reference, "FailedComputeMetricsReplicas", look.error);
        return Requeue{sync_period};
    } else {
        if (look.recommended > look.current) why = look.metric_name + " above target";
        if (look.recommended < look.current) why = "All metrics below target";
        const Normalized normalized =
            normalize(api::find(look.autoscaler, {"spec", "behavior"}), history, look.recommended, limits, now());
        look.condition("AbleToScale", true, normalized.able_to_scale.reason, normalized.able_to_scale.message);
        look.condition("ScalingLimited", normalized.scaling_limited.holds, normalized.scaling_limited.reason,
                       normalized.scaling_limited.message);
        desired = normalized.replicas;
    }
    if (desired != look.current) {
        const auto scaled = rescale(look, desired, why);
        if (!scaled) {
            TRY(write_sizes(look));
            return scaled.error();
        }
    }
    look.status["desiredReplicas"] = desired;
    TRY(write_sizes(look));
    return Requeue{sync_period};
}

}  // namespace kubemu::controllers
