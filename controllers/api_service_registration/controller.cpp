// Making and removing the APIServices of custom resources.
#include "controllers/api_service_registration/controller.h"

#include <nlohmann/json.hpp>

namespace kubemu::controllers {
namespace {

constexpr std::string_view definitions = "customresourcedefinitions.apiextensions.k8s.io";
constexpr std::string_view services = "apiservices.apiregistration.k8s.io";
constexpr const char* managed_label = "kube-aggregator.kubernetes.io/automanaged";

}  // namespace

ApiServiceRegistrationController::ApiServiceRegistrationController(Manager& manager)
    : Controller(manager, "apiservice-registration", "system:apiserver"),
      definitions_(manager.informer(definitions)),
      services_(manager.informer(services)) {
    definitions_.subscribe([this](const api::Informer::Change& change) {
        if (change.before) enqueue_versions(*change.before);
        if (change.after) enqueue_versions(*change.after);
    });
    // What somebody takes away is made again; what a former run left behind goes.
    enqueue_on_change(services_);
}

void ApiServiceRegistrationController::enqueue_versions(const storage::Record& definition) {
    const api::Json document = client().document(definition);
    const std::string group(api::string_at(document, {"spec", "group"}));
    for (const api::Json& version : api::array_at(document, {"spec", "versions"})) {
        enqueue(std::string(api::string_at(version, {"name"})) + "." + group);
    }
}

bool ApiServiceRegistrationController::served(std::string_view group, std::string_view version) {
    for (const auto& record : definitions_.list()) {
        const api::Json document = client().document(*record);
        if (api::string_at(document, {"spec", "group"}) != group) continue;
        for (const api::Json& candidate : api::array_at(document, {"spec", "versions"})) {
            if (api::string_at(candidate, {"name"}) == version && api::bool_at(candidate, {"served"}))
                return true;
        }
    }
    return false;
}

api::ApiResult<Requeue> ApiServiceRegistrationController::reconcile(const std::string& key) {
    const std::size_t dot = key.find('.');
    const std::string version = key.substr(0, dot),
                      group = dot == std::string::npos ? "" : key.substr(dot + 1);
    const auto record = services_.get("", key);
    const std::string* managed = record ? api::view_of(*record).label(managed_label) : nullptr;
    const bool wanted = served(group, version);
    if (record && !wanted && managed != nullptr && *managed == "true") {
        const auto removed = client().remove(kind(services), "", key);
        if (!removed && removed.error().code() != 404) return removed.error();
    } else if (!record && wanted) {
        const auto made =
            client().create(kind(services), "",
                            {{"metadata", {{"name", key}, {"labels", {{managed_label, "true"}}}}},
                             {"spec",
                              {{"group", group},
                               {"version", version},
                               {"groupPriorityMinimum", 1000},
                               {"versionPriority", 100}}}});
        if (!made && made.error().code() != 409) return made.error();
    }
    return Requeue{};
}

}  // namespace kubemu::controllers
