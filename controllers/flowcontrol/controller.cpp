// Keeping the condition Dangling.
#include "controllers/flowcontrol/controller.h"

#include <nlohmann/json.hpp>

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
    const std::string now = api::format_time(clock().now());
    const auto written = client().modify(kind(schemas), "", key, "status", [&](api::Json& schema) {
        const std::string level(api::string_at(schema, {"spec", "priorityLevelConfiguration", "name"}));
        const bool there = levels_.get("", level) != nullptr;
        const api::Json wanted = {
            {"type", "Dangling"},
            {"status", there ? "False" : "True"},
            {"reason", there ? "Found" : "NotFound"},
            {"lastTransitionTime", now},
            {"message", "This FlowSchema references the PriorityLevelConfiguration object named \"" + level +
                            "\" " + (there ? "and it exists" : "but there is no such object")}};
        api::Json& conditions = api::ensure(schema, {"status"})["conditions"];
        if (!conditions.is_array()) conditions = api::Json::array();
        for (api::Json& condition : conditions) {
            if (api::string_at(condition, {"type"}) != "Dangling") continue;
            if (api::string_at(condition, {"status"}) == api::string_at(wanted, {"status"}) &&
                api::string_at(condition, {"message"}) == api::string_at(wanted, {"message"}))
                return false;
            condition = wanted;
            return true;
        }
        conditions.push_back(wanted);
        return true;
    });
    if (!written && written.error().code() != 404) return written.error();
    return Requeue{};
}

}  // namespace kubemu::controllers
