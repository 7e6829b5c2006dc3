// SchedulerController: gives pods a node, as kube-scheduler's default profile does.
//
// One key stands for the whole queue: a turn takes waiting pods by priority and age and places them one after the
// other against totals that are kept incrementally, so that a turn sees its own placements before any informer does.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "controllers/runtime/controller.h"
#include "controllers/scheduler/filters.h"
#include "controllers/scheduler/pod_info.h"

namespace kubemu::controllers {

class SchedulerController final : public Controller {
  public:
    explicit SchedulerController(Manager& manager);
    ~SchedulerController() override;

    api::ApiResult<Requeue> reconcile(const std::string& key) override;
    void start() override;

  private:
    // Higher priority first, then the order of arrival.
    struct Waiting {
        int priority = 0;
        std::uint64_t sequence = 0;
        std::string key;
        bool operator<(const Waiting& other) const {
            return priority != other.priority ? priority > other.priority : sequence < other.sequence;
        }
    };
    struct Entry {
        scheduler::PodInfoPtr info;
        std::string node;            // where it is, or was sent
        std::string nominated_node;  // where pods were evicted for it
        bool queued = false;
        std::uint64_t sequence = 0;
        int attempts = 0;
        bool parked = false;         // unschedulable until something changes
        Time retry_at{};             // not before
    };
    struct Volumes {
        std::vector<scheduler::VolumeRule> rules;
        std::vector<std::string> to_select;  // claims that wait for their first consumer
        std::string refusal;                 // nothing can be done on any node
        bool waiting = false;                // claims are being provisioned for a node chosen before
    };

    void on_pod(const api::Informer::Change& change);
    void on_node(const api::Informer::Change& change);
    void forget(const std::string& key);
    void place(const std::string& key, Entry& entry, const std::string& node);
    void push(const std::string& key, Entry& entry);
    // Something changed that may make room: parked pods become eligible, each after its back-off.
    void wake_parked();

    void schedule(const std::string& key);
    bool bind(const std::string& key, Entry& entry, const std::string& node);
    void fail(const std::string& key, Entry& entry, const std::string& message);
    Volumes volumes_of(const scheduler::PodInfo& pod);
    bool select_node_for_claims(const scheduler::PodInfo& pod, const std::vector<std::string>& claims, const std::string& node);
    std::vector<scheduler::PodInfoPtr> promised_on(const std::string& node, const scheduler::PodInfo& pod) const;
    // Evicts pods of lower priority where that makes room; the text after "preemption: ".
    std::string preempt(const std::string& key, Entry& entry, const scheduler::Filter& filter,
                        const std::map<std::string, scheduler::Verdict>& verdicts);

    api::Informer& pods_;
    api::Informer& nodes_informer_;
    api::Informer& claims_;
    api::Informer& volumes_;
    api::Informer& classes_;
    EventRecorder recorder_;
    scheduler::Nodes nodes_;
    std::map<std::string, Entry, std::less<>> entries_;
    std::set<Waiting> active_;
    std::set<std::string> parked_;
    std::set<std::string> nominated_;
    std::uint64_t next_sequence_ = 1;
};

}  // namespace kubemu::controllers
