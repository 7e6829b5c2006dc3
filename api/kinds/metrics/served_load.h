// ServedLoad: the CPU time that containers spend on requests of other simulated containers, as metrics show it.
//
// Requests are added as they are made, in windows of usage_window; what is read is the window before the newest, which
// is complete whatever the order of things at this very instant. So load shows, and is gone, one window later than it
// came or went: 15 to 30 seconds, as on a cluster with metrics-server.
//
// Thread-safe. The rules that answer for metrics.k8s.io know the cluster by its Lookup alone, and find its load by that.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "storage/base/clock.h"
#include "storage/base/mutex.h"

namespace kubemu::api {

class Lookup;

class ServedLoad {
  public:
    // Of the cluster that `cluster` shows, for as long as it lives.
    static std::shared_ptr<ServedLoad> make(const Lookup& cluster);
    // Null: nobody serves there.
    static std::shared_ptr<const ServedLoad> of(const Lookup& cluster);
    ~ServedLoad();

    void add(std::string_view pod_uid, std::string_view container, Time at, std::int64_t cpu_nanoseconds);
    // Billionths of a core that the container spent on requests, as a sample at `now` shows it.
    std::int64_t cpu_nano(std::string_view pod_uid, std::string_view container, Time now) const;
    // How many requests there have been.
    std::uint64_t requests() const;

  private:
    explicit ServedLoad(const Lookup& cluster) : cluster_(cluster) {}

    struct Window {
        std::int64_t number = -1, cpu_nanoseconds = 0;
    };
    using Windows = std::array<Window, 8>;  // by number, modulo
    void forget_old(std::int64_t number) KUBEMU_REQUIRES(mutex_);

    const Lookup& cluster_;
    mutable Mutex mutex_;
    std::uint64_t requests_ KUBEMU_GUARDED_BY(mutex_) = 0;
    std::unordered_map<std::string, Windows> by_container_ KUBEMU_GUARDED_BY(mutex_);
};

}  // namespace kubemu::api
