// What was said is remembered for six minutes, then a repetition is a new event (finishTime of the event broadcaster).
#include "controllers/runtime/series_recorder.h"

#include <nlohmann/json.hpp>

#include "api/values/time.h"
#include "controllers/runtime/event_name.h"
#include "controllers/runtime/manager.h"
#include "storage/base/log.h"

namespace kubemu::controllers {
namespace {

constexpr Duration silence = std::chrono::minutes(6);
constexpr std::size_t note_bytes_max = 1024;

api::Json reference_of(const api::Json& object) {
    api::Json reference = {{"kind", std::string(api::string_at(object, {"kind"}))},
                           {"apiVersion", std::string(api::string_at(object, {"apiVersion"}))}};
    for (const char* member : {"namespace", "name", "uid", "resourceVersion"}) {
        const std::string_view value = api::string_at(object, {"metadata", member});
        if (!value.empty()) reference[member] = std::string(value);
    }
    return reference;
}

}  // namespace

SeriesRecorder::SeriesRecorder(Manager& manager, const api::Client& client, std::string component, std::string_view host)
    : manager_(manager),
      client_(client),
      component_(std::move(component)),
      instance_(component_ + "-" + std::string(host)) {}

SeriesRecorder::~SeriesRecorder() { manager_.set_timer(this, "finish", std::nullopt, {}); }

void SeriesRecorder::normal(const api::Json& regarding, std::string_view reason, std::string_view action, std::string_view note) {
    const std::string_view namespace_name = api::namespace_of(regarding);
    write(std::string(namespace_name.empty() ? "default" : namespace_name), reference_of(regarding), "Normal", reason, action, note);
}

void SeriesRecorder::warning(const api::Json& regarding, std::string_view reason, std::string_view action, std::string_view note) {
    const Time now = manager_.clock().now();
    const api::Json reference = reference_of(regarding);
    const std::string key = reference.dump() + '\n' + std::string(reason) + '\n' + std::string(action);
    const auto found = known_.find(key);
    if (found != known_.end()) {
        Known& known = found->second;
        known.last = now;
        if (++known.count == 2) write_series(known);
        return;
    }
    const std::string_view namespace_name = api::namespace_of(regarding);
    Known known{std::string(namespace_name.empty() ? "default" : namespace_name), {}, 1, 1, now};
    known.name = write(known.namespace_name, reference, "Warning", reason, action, note);
    if (known.name.empty()) return;
    if (known_.empty()) manager_.set_timer(this, "finish", now + silence, [this] { finish(); });
    known_.emplace(key, std::move(known));
}

std::string SeriesRecorder::write(const std::string& event_namespace, const api::Json& regarding, std::string_view type,
                                  std::string_view reason, std::string_view action, std::string_view note) {
    std::string name = event_name(manager_, std::string(api::string_at(regarding, {"name"})), last_stamp_);
    api::Json event = {
        {"apiVersion", "v1"},
        {"kind", "Event"},
        {"metadata", {{"name", name}, {"namespace", event_namespace}}},
        {"involvedObject", regarding},
        {"reason", std::string(reason)},
        {"message", std::string(note.substr(0, note_bytes_max))},
        {"source", api::Json::object()},
        {"firstTimestamp", nullptr},
        {"lastTimestamp", nullptr},
        {"type", std::string(type)},
        {"eventTime", api::format_micro_time(manager_.clock().now())},
        {"action", std::string(action)},
        {"reportingComponent", component_},
        {"reportingInstance", instance_},
    };
    const auto written = client_.create(manager_.kind("events"), event_namespace, std::move(event));
    if (written) return name;
    // A namespace on its way out takes no events; that is nobody's mistake.
    log_line(LogLevel::debug, "event not recorded", {{"event", name}, {"error", written.error()->message}});
    return {};
}

void SeriesRecorder::write_series(Known& known) {
    known.written = known.count;
    const auto written = client_.modify(manager_.kind("events"), known.namespace_name, known.name, {}, [&](api::Json& event) {
        event["series"] = {{"count", known.count}, {"lastObservedTime", api::format_micro_time(known.last)}};
        return true;
    });
    if (!written) log_line(LogLevel::debug, "series not recorded", {{"event", known.name}, {"error", written.error()->message}});
}

void SeriesRecorder::finish() {
    const Time now = manager_.clock().now();
    std::optional<Time> next;
    for (auto entry = known_.begin(); entry != known_.end();) {
        Known& known = entry->second;
        const Time end = known.last + silence;
        if (end > now) {
            next = next ? std::min(*next, end) : end;
            ++entry;
            continue;
        }
        if (known.count != known.written) write_series(known);
        entry = known_.erase(entry);
    }
    manager_.set_timer(this, "finish", next, [this] { finish(); });
}

}  // namespace kubemu::controllers
