// What a kubelet runs short of, whom it evicts for it, and in which words (pkg/kubelet/eviction/helpers.go).
//
// Annotations of a Node say what its kubelet measures, the pods that run now included:
//   kubemu.io/signal.memory.available: 60Mi      and so nodefs.available, nodefs.inodesFree, imagefs.available,
//                                                imagefs.inodesFree, pid.available
// What an evicted pod used is free again, so that eviction ends when enough of them went. A condition that an annotation
// sets to True (nodes.h) is a shortage that no eviction relieves.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/values/object.h"
#include "api/values/quantity.h"
#include "storage/base/clock.h"

namespace kubemu::controllers::kubelet {

// A hard threshold, as kubelets have them by default (defaults_linux.go); for process ids, which have none, a tenth.
struct Signal {
    const char* name;       // memory.available
    const char* condition;  // MemoryPressure
    const char* resource;   // memory, ephemeral-storage, inodes, pids
    const char* capacity_of;  // the resource of status.capacity that a percentage is of; null: `capacity`
    std::int64_t capacity;
    std::int64_t quantity;  // the threshold itself, or 0 and
    int percentage;
};
const std::vector<Signal>& signals();  // memory before everything else
const Signal* find_signal(std::string_view name);
const Signal* signal_of_condition(std::string_view condition);

std::int64_t threshold_of(const Signal& signal, const api::Json& node);
// As messages print an amount of what the signal counts.
std::string amount_text(const Signal& signal, std::int64_t amount);

// A pod as the eviction manager sees it.
struct Candidate {
    std::string key, name;
    int priority = 0;
    struct Container {
        std::string name;
        std::int64_t used = 0, requested = 0;
        std::string request_text;
    };
    bool measured = false;               // its containers run
    std::vector<Container> containers;   // of the resource in question
    std::int64_t used = 0, requested = 0;
    std::string whole_request;           // spec.resources.requests, memory only; empty: none

    bool exceeds() const { return used > requested; }
};
Candidate read_candidate(std::string key, const api::Json& pod, const Signal& signal, Time now);
// The first goes first: who has no measurements, uses more than it asked for, is less important, uses most beyond that.
void rank(std::vector<Candidate>& pods, const Signal& signal);

struct EvictionText {
    std::string message, offending_containers, offending_usage;
};
EvictionText eviction_text(const Candidate& pod, const Signal& signal, std::int64_t threshold, std::int64_t available);

}  // namespace kubemu::controllers::kubelet
