// The rules of client-go's EventCorrelator: similar events are merged after ten different messages in ten minutes,
// equal ones are counted, and an object that is talked about too much is not talked about for a while.
#include "controllers/runtime/event_recorder.h"

#include <algorithm>
#include <list>
#include <map>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <vector>

#include "api/registry.h"
#include "api/values/time.h"
#include "controllers/runtime/event_name.h"
#include "controllers/runtime/manager.h"
#include "storage/base/log.h"

namespace kubemu::controllers {

namespace {

constexpr std::size_t similar_max = 10;
constexpr Duration similar_interval = std::chrono::minutes(10);
constexpr double burst = 25;
constexpr double refill_per_second = 1.0 / 300;
constexpr std::size_t cache_entries_max = 4096;
constexpr std::size_t message_bytes_max = 1024;

// Texts are only ever compared, so that their hashes will do: thousands of them are remembered.
using TextHash = std::uint64_t;
TextHash hash_of(std::string_view text) { return std::hash<std::string_view>()(text); }

// What was last used longest ago is forgotten first.
template <class Value>
class RecentlyUsed {
  public:
    Value& operator[](const std::string& text) {
        const TextHash key = hash_of(text);
        const auto found = index_.find(key);
        if (found != index_.end()) {
            order_.splice(order_.begin(), order_, found->second);
            return found->second->second;
        }
        if (order_.size() >= cache_entries_max) {
            index_.erase(order_.back().first);
            order_.pop_back();
        }
        order_.emplace_front(key, Value{});
        index_.emplace(key, order_.begin());
        return order_.front().second;
    }

  private:
    std::list<std::pair<TextHash, Value>> order_;
    std::unordered_map<TextHash, typename std::list<std::pair<TextHash, Value>>::iterator> index_;
};

struct Similar {
    std::vector<TextHash> messages;  // different ones
    Time last{};
};

struct Bucket {
    bool used = false;
    double tokens = burst;
    Time last{};
};

struct Observed {
    std::string name;
    std::int64_t count = 0;
};

}  // namespace

struct EventRecorder::Impl {
    Manager& manager;
    api::Client client;  // its own, so that an event does not count as a write of the controller
    std::string component;
    std::string host;
    RecentlyUsed<Similar> similar;
    RecentlyUsed<Bucket> buckets;
    RecentlyUsed<Observed> observed;
    std::int64_t last_stamp = 0;

    bool allowed(const std::string& subject, Time now) {
        Bucket& bucket = buckets[subject];
        if (bucket.used) {
            const double seconds = std::chrono::duration<double>(now - bucket.last).count();
            bucket.tokens = std::min(burst, bucket.tokens + seconds * refill_per_second);
        }
        bucket.used = true;
        bucket.last = now;
        if (bucket.tokens < 1) return false;
        bucket.tokens -= 1;
        return true;
    }

    // Counts the event in the one that says the same, which is `known`; false when there is none.
    bool count(const std::string& event_namespace, const std::string& identity, const Observed& known, std::string_view message, Time now) {
        if (known.count == 0) return false;
        std::int64_t counted = known.count + 1;
        const auto written = client.modify(manager.kind("events"), event_namespace, known.name, {}, [&](api::Json& event) {
            counted = api::int_at(event, {"count"}, known.count) + 1;
            event["count"] = counted;
            event["message"] = std::string(message);
            event["lastTimestamp"] = api::format_time(now);
            return true;
        });
        if (!written) return false;
        observed[identity] = {known.name, counted};
        return true;
    }

    void record(const api::Json& object, std::string_view type, std::string_view reason, std::string_view text,
                std::string_view field_path) {
        const Time now = manager.clock().now();
        const std::string object_namespace(api::namespace_of(object));
        const std::string event_namespace = object_namespace.empty() ? "default" : object_namespace;
        const std::string name(api::name_of(object));
        std::string message(text.substr(0, message_bytes_max));

        api::Json involved = {{"kind", std::string(api::string_at(object, {"kind"}))}, {"name", name}};
        const auto copy = [&involved](std::string_view member, std::string_view value) {
            if (!value.empty()) involved[std::string(member)] = std::string(value);
        };
        copy("namespace", object_namespace);
        copy("uid", api::uid_of(object));
        copy("apiVersion", api::string_at(object, {"apiVersion"}));
        copy("fieldPath", field_path);

        // The bucket is the object's, whatever part of it the event is about.
        std::string whole;
        for (const char* member : {"kind", "namespace", "name", "uid", "apiVersion"})
            (whole += api::string_at(involved, {member})) += '\n';
        const std::string group = whole + std::string(field_path) + '\n' + std::string(type) + '\n' + std::string(reason);
        Similar& alike = similar[group];
        if (now - alike.last > similar_interval) alike.messages.clear();
        alike.last = now;
        const TextHash said = hash_of(message);
        if (std::find(alike.messages.begin(), alike.messages.end(), said) == alike.messages.end()) alike.messages.push_back(said);
        std::string identity = group + '\n' + message;
        if (alike.messages.size() >= similar_max) {
            alike.messages.erase(alike.messages.begin());
            message = "(combined from similar events): " + message;
            identity = group;
        }
        if (!allowed(whole, now)) return;

        // A copy: other events may be recorded while a write waits.
        const Observed known = observed[identity];
        if (count(event_namespace, identity, known, message, now)) return;

        copy("resourceVersion", api::string_at(object, {"metadata", "resourceVersion"}));
        api::Json source = {{"component", component}};
        if (!host.empty()) source["host"] = host;
        const std::string written_name = event_name(manager, name, last_stamp);
        api::Json event = {
            {"apiVersion", "v1"},
            {"kind", "Event"},
            {"metadata", {{"name", written_name}, {"namespace", event_namespace}}},
            {"involvedObject", std::move(involved)},
            {"reason", std::string(reason)},
            {"message", message},
            {"source", std::move(source)},
            {"firstTimestamp", api::format_time(now)},
            {"lastTimestamp", api::format_time(now)},
            {"count", 1},
            {"type", std::string(type)},
            {"eventTime", nullptr},
            {"reportingComponent", component},
            {"reportingInstance", host},
        };
        const auto written = client.create(manager.kind("events"), event_namespace, std::move(event));
        if (!written) {
            // A namespace on its way out takes no events; that is nobody's mistake.
            log_line(LogLevel::debug, "event not recorded", {{"object", name}, {"error", written.error()->message}});
            return;
        }
        observed[identity] = {written_name, 1};
    }
};

EventRecorder::EventRecorder(Manager& manager, api::Client& client, std::string component, std::string host)
    : impl_(std::make_unique<Impl>(Impl{manager, client, std::move(component), std::move(host), {}, {}, {}, 0})) {}

EventRecorder::~EventRecorder() = default;

void EventRecorder::normal(const api::Json& object, std::string_view reason, std::string_view message,
                           std::string_view field_path) {
    impl_->record(object, "Normal", reason, message, field_path);
}

void EventRecorder::warning(const api::Json& object, std::string_view reason, std::string_view message,
                            std::string_view field_path) {
    impl_->record(object, "Warning", reason, message, field_path);
}

}  // namespace kubemu::controllers
