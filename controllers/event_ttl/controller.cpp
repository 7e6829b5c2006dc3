// When Events go.
#include "controllers/event_ttl/controller.h"

#include <chrono>

#include "api/kinds/views.h"
#include "storage/base/log.h"
#include "storage/store.h"

namespace kubemu::controllers {

namespace {

constexpr auto lifetime = std::chrono::hours(1);
constexpr auto interval = std::chrono::minutes(1);

}  // namespace

EventTtlController::EventTtlController(Manager& manager) : Controller(manager, "event-ttl", "system:apiserver") {}

void EventTtlController::start() { look(); }

void EventTtlController::look() {
    marks_.push_back({now(), manager().registry().store().current_revision()});
    storage::Revision expired = 0;
    for (; marks_.front().time <= now() - lifetime; marks_.pop_front()) expired = marks_.front().revision;
    if (expired > 0) remove_until(expired);
    manager().set_timer(this, "expiry", now() + interval, [this] { look(); });
}

void EventTtlController::remove_until(storage::Revision revision) {
    for (const storage::RecordPtr& record : manager().registry().store().list("events", "").records) {
        if (record->revision > revision) continue;
        const api::ObjectView& view = api::view_of(*record);
        api::DeleteOptions options;
        options.precondition_revision = std::to_string(record->revision);  // one that was just written again stays
        const auto removed = client().remove(kind("events"), view.namespace_name, view.name, options);
        if (removed || removed.error().code() == 404 || removed.error().code() == 409) continue;
        log_line(LogLevel::info, "an event could not be removed", {{"event", record->key}, {"error", removed.error()->message}});
    }
}

api::ApiResult<Requeue> EventTtlController::reconcile(const std::string&) { return Requeue{}; }

}  // namespace kubemu::controllers
