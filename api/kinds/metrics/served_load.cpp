// Windows of load by container, and which load belongs to which cluster.
#include "api/kinds/metrics/served_load.h"

#include <algorithm>
#include <map>

#include "api/kinds/metrics/usage.h"

namespace kubemu::api {
namespace {

constexpr std::size_t containers_max = 4096;  // beyond it those without load are forgotten

struct Known {
    Mutex mutex;
    std::map<const Lookup*, std::weak_ptr<ServedLoad>> loads KUBEMU_GUARDED_BY(mutex);
};

Known& known() {
    static Known all;
    return all;
}

std::int64_t window_of(Time time) { return time.time_since_epoch() / usage_window; }

std::string key_of(std::string_view pod_uid, std::string_view container) { return std::string(pod_uid) + "/" + std::string(container); }

}  // namespace

std::shared_ptr<ServedLoad> ServedLoad::make(const Lookup& cluster) {
    std::shared_ptr<ServedLoad> load(new ServedLoad(cluster));
    const Lock lock(known().mutex);
    known().loads[&cluster] = load;
    return load;
}

std::shared_ptr<const ServedLoad> ServedLoad::of(const Lookup& cluster) {
    const Lock lock(known().mutex);
    const auto found = known().loads.find(&cluster);
    return found == known().loads.end() ? nullptr : found->second.lock();
}

ServedLoad::~ServedLoad() {
    const Lock lock(known().mutex);
    const auto found = known().loads.find(&cluster_);
    if (found != known().loads.end() && found->second.expired()) known().loads.erase(found);
}

void ServedLoad::add(std::string_view pod_uid, std::string_view container, Time at, std::int64_t cpu_nanoseconds) {
    const std::int64_t number = window_of(at);
    const Lock lock(mutex_);
    ++requests_;
    if (by_container_.size() >= containers_max) forget_old(number);
    Windows& windows = by_container_[key_of(pod_uid, container)];
    Window& window = windows[static_cast<std::size_t>(number) % windows.size()];
    if (window.number != number) window = {number, 0};
    window.cpu_nanoseconds += cpu_nanoseconds;
}

void ServedLoad::forget_old(std::int64_t number) {
    std::erase_if(by_container_, [&](const auto& entry) {
        const Windows& windows = entry.second;
        return std::all_of(windows.begin(), windows.end(), [&](const Window& window) { return window.number < number - 2; });
    });
}

std::int64_t ServedLoad::cpu_nano(std::string_view pod_uid, std::string_view container, Time now) const {
    const std::int64_t number = window_of(now) - 2;
    const Lock lock(mutex_);
    const auto found = by_container_.find(key_of(pod_uid, container));
    if (number < 0 || found == by_container_.end()) return 0;
    const Window& window = found->second[static_cast<std::size_t>(number) % found->second.size()];
    return window.number == number ? window.cpu_nanoseconds / std::chrono::duration_cast<std::chrono::seconds>(usage_window).count() : 0;
}

std::uint64_t ServedLoad::requests() const {
    const Lock lock(mutex_);
    return requests_;
}

}  // namespace kubemu::api
