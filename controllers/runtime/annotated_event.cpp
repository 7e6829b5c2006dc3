// Writes the Event as it is.
#include "controllers/runtime/annotated_event.h"

#include <nlohmann/json.hpp>

#include "api/values/time.h"
#include "controllers/runtime/event_name.h"
#include "controllers/runtime/manager.h"
#include "storage/base/log.h"

namespace kubemu::controllers {

void warn_annotated(Manager& manager, api::Client& client, const api::Json& object, const AnnotatedEvent& event) {
    const std::string time = api::format_time(manager.clock().now()), space(api::namespace_of(object)), name(api::name_of(object));
    api::Json involved = api::object_at(object, {"metadata"});
    for (const char* member : {"kind", "apiVersion"}) involved[member] = api::string_at(object, {member});
    std::int64_t stamp = 0;
    const auto written = client.create(manager.kind("events"), space,
                                       {{"apiVersion", "v1"},
                                        {"kind", "Event"},
                                        {"metadata", {{"name", event_name(manager, name, stamp)}, {"namespace", space}, {"annotations", event.annotations}}},
                                        {"involvedObject", std::move(involved)},
                                        {"reason", event.reason},
                                        {"message", event.message},
                                        {"source", {{"component", event.component}, {"host", event.host}}},
                                        {"firstTimestamp", time},
                                        {"lastTimestamp", time},
                                        {"count", 1},
                                        {"type", "Warning"},
                                        {"eventTime", nullptr},
                                        {"reportingComponent", event.component},
                                        {"reportingInstance", event.host}});
    if (!written) log_line(LogLevel::debug, "event not recorded", {{"object", name}, {"error", written.error()->message}});
}

}  // namespace kubemu::controllers
