// SchedulerController: gives pods a node, as kube-scheduler's default profile does.
//
// One key stands for the whole queue: a turn takes waiting pods by priority and age and places them one after the
// other against totals that are kept incrementally, so that a turn sees its own placements before any informer does.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/values/quantity.h"
#include "controllers/runtime/controller.h"
#include "controllers/runtime/series_recorder.h"
#include "controllers/scheduler/default_selectors.h"
#include "controllers/scheduler/dynamic_resources.h"
#include "controllers/scheduler/filters.h"
#include "controllers/scheduler/match_counts.h"
#include "controllers/scheduler/pod_info.h"
#include "controllers/scheduler/scores.h"
#include "controllers/scheduler/volume_use.h"

namespace kubemu::controllers {

class SchedulerController final : public Controller {
  public:
    explicit SchedulerController(Manager& manager, scheduler::Release release = {});
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
        std::string chosen_node;     // where its claims get their volumes
        std::shared_ptr<scheduler::Reservation> devices;  // to be written before it is bound
        bool queued = false;
        std::uint64_t sequence = 0;
        int attempts = 0;
        bool lacks_claims = false;   // which are to be made before it is looked at
        bool parked = false;         // unschedulable until something changes
        std::set<std::string> nodes_lack;  // not empty: that can only be a node, since these are the reasons of all
        bool retries = false;              // parked for its back-off alone
        Time retry_at{};             // not before
    };
    struct Volumes {
        std::vector<scheduler::VolumeRule> rules;
        std::vector<std::pair<std::string, scheduler::VolumeRule>> to_select;  // claims that wait for their first consumer
        std::string refusal;                 // nothing can be done on any node
        bool waiting = false;                // claims are being provisioned for a node chosen before
    };

    void on_pod(const api::Informer::Change& change);
    void on_node(const api::Informer::Change& change);
    void forget(const std::string& key);
    void place(const std::string& key, Entry& entry, const std::string& node);
    // Pods come to nodes and leave them only by these, so that every count follows.
    void put(const std::string& node, const scheduler::PodInfoPtr& pod);
    void take(const std::string& node, const std::string& key);
    void push(const std::string& key, Entry& entry);
    // Something changed that may make room: parked pods become eligible, each after its back-off. The second: those alone
    // that `concerned` takes, by a timer of this name where they have to wait.
    void wake_parked();
    void wake_parked(const std::string& timer, std::function<bool(const Entry&)> concerned);
    // Those whose place depends on where other pods are.
    void enqueue_attempts();
    void wake_for_node(const std::string& name);
    bool may_hope_for(const Entry& entry, const scheduler::NodeInfo& node);
    void wake_for_pods();
    void wake_followers();
    // Those that ask for devices.
    void wake_for_devices();
    void on_device_claim(const api::Informer::Change& change);

    api::Json reference(const scheduler::PodInfo& pod) const;
    static std::string bind_key(const std::string& key);
    // "1 node(s) were unschedulable, 2 Insufficient cpu", sorted as text.
    static std::string histogram(const std::map<std::string, int>& reasons);
    static std::string availability(std::size_t nodes, const std::string& reasons);
    void schedule(const std::string& key);
    // The nodes that would do, and the verdicts of those that would not.
    std::vector<const scheduler::NodeInfo*> feasible(const Entry& entry, const scheduler::Filter& filter,
                                                     std::map<std::string, scheduler::Verdict>& verdicts);
    const scheduler::NodeInfo* best_of(const std::string& key, const scheduler::PodInfo& pod,
                                       std::vector<const scheduler::NodeInfo*> nodes, const scheduler::DeviceAttempt* devices);
    // Writes what was reserved for the pod; false when it cannot be bound, or not yet.
    bool bind_devices(const std::string& key);
    // Tells the API where a pod has been placed. A binding that is refused gives the place up again.
    void bind(const std::string& key);
    // After a failure of binding; nothing when the pod has gone or is elsewhere.
    void give_up_place(const std::string& key, const scheduler::PodInfo& pod, const std::string& node, const std::string& message);
    void park(const std::string& key, Entry& entry);
    // An empty message only delays the next attempt. `error`: nothing that changes elsewhere would help, it is tried again.
    void fail(const std::string& key, Entry& entry, const std::string& message, bool error = false);
    // What is said after the reasons of the nodes: what was tried to make room.
    std::string after_filters(const std::string& devices, const std::string& preemption) const;
    Volumes volumes_of(const scheduler::PodInfo& pod);
    scheduler::VolumeRule rule_of_bound(const std::string& volume_name);
    void read_capacity(const std::string& provisioner, const std::string& class_name,
                       const std::optional<api::Quantity>& wanted, scheduler::VolumeRule& rule);
    scheduler::VolumeRule rule_of_waiting(const api::Json& claim, const api::Json& storage_class);
    // Another pod that uses the claim; empty when there is none.
    std::string user_of_claim(const scheduler::PodInfo& pod, const std::string& claim) const;
    bool select_node_for_claims(const scheduler::PodInfo& pod, const Volumes& volumes, const scheduler::NodeInfo& node);
    std::vector<scheduler::PodInfoPtr> promised_on(const std::string& node, const scheduler::PodInfo& pod) const;
    // Evicts pods of lower priority where that makes room; otherwise the text after "preemption: ".
    std::string preempt(const std::string& key, Entry& entry, const scheduler::Filter& filter,
                        const std::map<std::string, scheduler::Verdict>& verdicts);
    struct Choice {
        const scheduler::NodeInfo* node = nullptr;
        std::vector<scheduler::PodInfoPtr> victims;  // the most important first
        std::int64_t violations = 0;                 // of disruption budgets
    };
    std::string ineligible(const scheduler::PodInfo& pod, const Entry& entry, const std::map<std::string, scheduler::Verdict>& verdicts) const;
    // Without victims the reason why there are none.
    Choice victims_on(const scheduler::NodeInfo& node, const scheduler::PodInfo& pod, const scheduler::Filter& filter,
                      std::vector<std::string>& reasons) const;
    void evict(const scheduler::PodInfo& victim, const scheduler::PodInfo& pod, const std::string& node);
    // The pods whose eviction would violate a budget, by key.
    std::set<std::string> budget_violations(const std::vector<scheduler::PodInfoPtr>& victims) const;
    bool preempted(const std::string& key) const;
    void set_nominated(const std::string& key, Entry& entry, std::string node);

    api::Informer& pods_;
    api::Informer& nodes_informer_;
    api::Informer& claims_;
    api::Informer& volumes_;
    api::Informer& classes_;
    api::Informer& budgets_;
    const scheduler::Release release_;
    const api::Client& reader_;
    SeriesRecorder recorder_;
    scheduler::Nodes nodes_;
    scheduler::Namespaces namespaces_;
    scheduler::ImageNodes image_nodes_;
    scheduler::MatchCounts matches_;
    scheduler::DefaultSelectors default_selectors_;
    scheduler::VolumeUse volume_use_;
    std::optional<scheduler::DynamicResources> devices_;
    std::set<std::string> waiting_for_devices_;  // pods that are bound when their devices are ready
    std::string next_start_;  // where the search of the next pod begins in a large cluster
    std::map<std::string, Entry, std::less<>> entries_;
    std::set<Waiting> active_;
    std::set<std::string> parked_;
    std::set<std::string> nominated_;
    std::uint64_t next_sequence_ = 1;
};

}  // namespace kubemu::controllers
