// Keeping the condition Dangling.
#include "controllers/flowcontrol/controller.h"

#include <nlohmann/json.hpp>

#include "api/draft.h"
#include "api/values/time.h"

namespace kubemu::controllers {
namespace {

constexpr std::string_view schemas = "flowschemas.flowcontrol.apiserver.k8s.io";
constexpr std::string_view levels = "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io";

}  // namespace

FlowSchemaController::FlowSchemaController(Manager& manager)
    : Controller(manager, "flowcontrol", "system:apiserver"),
      schemas_(manager.informer(schemas)),
      levels_(manager.informer(levels)) {
    enqueue_on_change(schemas_);
    // Whoever refers to a level that comes or goes must be told.
    levels_.subscribe([this](const api::Informer::Change& change) {
        if (change.before && change.after) return;
        for (const auto& schema : schemas_.list()) enqueue(api::view_of(*schema).name);
    });
}

api::ApiResult<Requeue> FlowSchemaController::reconcile(const std::string& key) {
    const auto record = schemas_.get("", key);
    if (!record || api::view_of(*record).deleting) return Requeue{};
    const api::Json schema = client().document(*record);
    const std::string level(api::string_at(schema, {"spec", "priorityLevelConfiguration", "name"}));
    const bool there = levels_.get("", level) != nullptr;
    api::Json wanted = {{"type", "Dangling"},
                        {"status", there ? "False" : "True"},
                        {"reason", there ? "Found" : "NotFound"},
                        {"lastTransitionTime", api::format_time(now())},
                        {"message", "This FlowSchema references the PriorityLevelConfiguration object named \"" + level + "\" " +
                                        (there ? "and it exists" : "but there is no such object")}};
    for (const api::Json& condition : api::array_at(schema, {"status", "conditions"})) {
        const auto same = [&](const char* member) { return api::string_at(condition, {member}) == api::string_at(wanted, {member}); };
        if (same("type") && same("status") && same("message")) return Requeue{};
    }
    const api::KindSpec& stored = kind(schemas);
    api::Json configuration = {{"kind", std::string(stored.kind)},
                               {"apiVersion", api::api_version_of(stored)},
                               {"metadata", {{"name", key}}},
                               {"status", {{"conditions", api::Json::array({std::move(wanted)})}}}};
    const auto applied =
        client().apply(stored, {}, std::move(configuration), "api-priority-and-fairness-config-consumer-v1", "status");
    if (!applied && applied.error().code() != 404) return applied.error();
    return Requeue{};
}

}  // namespace kubemu::controllers
