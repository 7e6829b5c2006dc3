// When a finished Job goes.
#include "controllers/ttl_after_finished/controller.h"

#include <nlohmann/json.hpp>

#include "api/values/time.h"
#include "storage/base/text_search.h"

namespace kubemu::controllers {

TtlAfterFinishedController::TtlAfterFinishedController(Manager& manager)
    : Controller(manager, "ttl-after-finished", "ttl-after-finished-controller"),
      jobs_(manager.informer("jobs.batch")) {
    has_workers(5);
    enqueue_on_change(jobs_);
}

api::ApiResult<Requeue> TtlAfterFinishedController::reconcile(const std::string& key) {
    const auto record = jobs_.get(key);
    if (!record || api::view_of(*record).deleting) return Requeue{};
    // Most jobs stay, which their text shows without being read as a document.
    if (!contains_text(*record->bytes.get(), "\"ttlSecondsAfterFinished\"")) return Requeue{};
    const auto kept = client().read(*record);
    const api::Json& job = *kept;
    const api::Json* seconds = api::find(job, {"spec", "ttlSecondsAfterFinished"});
    if (seconds == nullptr) return Requeue{};
    for (const api::Json& condition : api::array_at(job, {"status", "conditions"})) {
        const std::string_view type = api::string_at(condition, {"type"});
        if ((type != "Complete" && type != "Failed") || api::string_at(condition, {"status"}) != "True") continue;
        const Time due = api::parse_time_or_zero(api::string_at(condition, {"lastTransitionTime"})) +
                         std::chrono::seconds(seconds->get<std::int64_t>());
        if (now() < due) return Requeue{due - now()};
        api::DeleteOptions options;
        options.propagation_policy = "Foreground";
        options.precondition_uid = api::view_of(*record).uid;
        const auto removed = client().remove(kind("jobs.batch"), api::view_of(*record).namespace_name,
                                             api::view_of(*record).name, options);
        if (!removed && removed.error().code() != 404) return removed.error();
    }
    return Requeue{};
}

}  // namespace kubemu::controllers
