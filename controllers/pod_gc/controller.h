// Pod garbage collector: pods that nobody will ever end (kubernetes pkg/controller/podgc): those bound to nodes that
// are no longer there, unscheduled ones that are being deleted, those that hang on a node that is out of service, and
// the oldest ended ones when there are too many of them.
#pragma once

#include <compare>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

class PodGarbageCollectorController final : public Controller {
  public:
    struct Options {
        // --terminated-pod-gc-threshold; 0: ended pods stay.
        std::size_t terminated_threshold = 12500;
    };
    explicit PodGarbageCollectorController(Manager& manager) : PodGarbageCollectorController(manager, Options{}) {}
    PodGarbageCollectorController(Manager& manager, Options options);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    Time missed_since(const std::string& node_name, const std::string& pod_key);
    void pod_changed(const api::Informer::Change& change);
    void node_changed(const api::Informer::Change& change);
    bool out_of_service(const std::string& node_name);
    api::ApiResult<Requeue> collect_terminated();
    api::ApiResult<bool> remove(const storage::Record& pod);
    api::ApiResult<bool> mark_disrupted(const storage::Record& pod, const char* message);

    Options options_;
    api::Informer& pods_;
    api::Informer& nodes_;
    // Those that a node evicted go first, then the oldest; by name where they are of an age.
    struct Place {
        bool not_evicted = true;
        Time created{};
        std::string name, key;
        auto operator<=>(const Place&) const = default;
    };
    Place place_of(const storage::Record& pod);
    std::set<Place> terminated_;
    // Of a node that is not there: the pods that name it, and since when one of them has. It is news again when the next
    // pod names it.
    struct MissedNode {
        Time since;
        std::unordered_set<std::string> pods;
    };
    std::unordered_map<std::string, MissedNode> missed_nodes_;
};

}  // namespace kubemu::controllers
