// Follows the annotations, and keeps the APIService and the table of groups as they ask.
#include "controllers/simulated_metrics/controller.h"

#include <nlohmann/json.hpp>
#include <vector>

namespace kubemu::controllers {

using api::Json;
using api::MetricFamily;

namespace {

constexpr std::string_view api_services = "apiservices.apiregistration.k8s.io";
constexpr const char* own_label = "kubemu.io/simulated";

}  // namespace

SimulatedMetricsController::SimulatedMetricsController(Manager& manager, api::AggregatedServices& services)
    : Controller(manager, "simulated-metrics", "system:apiserver"),
      services_(services),
      api_services_(manager.informer(api_services)) {
    for (const char* resource : carriers) {
        manager.informer(resource).subscribe(
            [this, resource = std::string(resource)](const api::Informer::Change& change) { changed(resource, change); });
    }
    // Somebody installed an adapter of his own, or took ours away.
    api_services_.subscribe([this](const api::Informer::Change& change) {
        const std::string& name = (change.after ? change.after : change.before)->key;
        for (const auto& [family, key] : {std::pair(MetricFamily::custom, "custom"), {MetricFamily::external, "external"}})
            if (name == api::metric_group(family).name()) enqueue(key);
    });
}

void SimulatedMetricsController::changed(const std::string& resource, const api::Informer::Change& change) {
    for (const MetricFamily family : {MetricFamily::custom, MetricFamily::external}) {
        const bool external = family == MetricFamily::external;
        if (external && resource != "namespaces") continue;
        const auto carries = [&](const storage::RecordPtr& record) { return record && api::shows_metrics(*record->bytes.get(), family); };
        if (!carries(change.before) && !carries(change.after)) continue;
        std::set<std::string> names;
        if (carries(change.after)) {
            for (const std::string& name : api::metric_names(client().document(*change.after), family))
                names.insert(external ? name : resource + "/" + name);
        }
        Carried& carried = carried_[family];
        const std::string key = resource + " " + (change.after ? change.after : change.before)->key;
        if (names.empty()) carried.erase(key);
        else carried[key] = std::move(names);
        enqueue(external ? "external" : "custom");
    }
}

api::ApiResult<Requeue> SimulatedMetricsController::reconcile(const std::string& key) {
    const MetricFamily family = key == "custom" ? MetricFamily::custom : MetricFamily::external;
    const api::MetricGroup group = api::metric_group(family);
    const std::string name = group.name();
    std::set<std::string> names;
    for (const auto& [object, own] : carried_[family]) names.insert(own.begin(), own.end());
    const storage::RecordPtr record = api_services_.get("", name);
    const bool ours = record != nullptr && api::view_of(*record).label(own_label) != nullptr;
    if (record != nullptr && !ours) return Requeue{};  // an adapter that somebody else runs
    if (names.empty()) {
        if (const auto service = services_.find(group.group, group.version); service != nullptr && service->local)
            services_.set(name, nullptr);
        if (ours) TRY(client().remove(kind(api_services), "", name));
        return Requeue{};
    }
    services_.set(name, api::simulated_metrics_service(manager().registry(), family, {names.begin(), names.end()}));
    if (record != nullptr) return Requeue{};
    TRY(client().create(kind(api_services), "",
                        {{"metadata", {{"name", name}, {"labels", {{own_label, "true"}}}}},
                         {"spec", {{"group", std::string(group.group)}, {"version", std::string(group.version)},
                                   {"groupPriorityMinimum", 100}, {"versionPriority", 100}}}}));
    return Requeue{};
}

}  // namespace kubemu::controllers
