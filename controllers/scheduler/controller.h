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
#include "controllers/scheduler/hints.h"
#include "controllers/scheduler/match_counts.h"
#include "controllers/scheduler/pod_info.h"
#include "controllers/scheduler/scheduling_queue.h"
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
    // Volumes for claims that waited for their first consumer.
    struct ClaimsToBind {
        std::vector<std::pair<std::string, std::string>> claims;  // and the free volume; none: it is to be made
        bool written = false;
        Time until{};
    };
    struct Entry {
        scheduler::PodInfoPtr info;
        std::string node;            // where it is, or was sent
        std::string nominated_node;  // where pods were evicted for it, or somebody says that it should go
        // To be written before it is bound:
        std::shared_ptr<scheduler::Reservation> devices;
        std::shared_ptr<ClaimsToBind> volumes;
        bool expected_told = false;  // where it is going to be
    };
    struct Volumes {
        std::vector<scheduler::VolumeRule> rules;  // those of `to_bind` last, in the same order
        std::vector<std::string> to_bind;          // claims that wait for their first consumer
        std::string refusal;                       // nothing can be done on any node
        scheduler::Plugin refused_by = scheduler::Plugin::volume_binding;
    };
    // How an attempt failed.
    struct Failure {
        std::string message;
        scheduler::Plugins by;             // empty: nobody's refusal, it is tried again in a while
        const char* reason = "Unschedulable";
        std::optional<std::string> nominate;  // the node that it is promised from now on, "" for none; nothing: as before
    };

    void on_pod(const api::Informer::Change& change);
    void on_node(const api::Informer::Change& change);
    void forget(const std::string& key);
    void place(const std::string& key, Entry& entry, const std::string& node);
    // Pods come to nodes and leave them only by these, so that every count follows.
    void put(const std::string& node, const scheduler::PodInfoPtr& pod);
    void take(const std::string& node, const std::string& key);
    // Unless a plugin does not let it be looked at.
    void queue_new(const std::string& key, Entry& entry);
    void requeue(const std::string& key, const Entry& entry);
    std::optional<scheduler::Plugin> gate_of(const Entry& entry) const;
    void enqueue_attempts();
    // Something happened that may help those that one of these plugins refused, and of them those of which `worth` says
    // so; it is told which plugins refused the pod.
    using Worth = std::function<bool(const Entry&, scheduler::Plugins)>;
    void wake(scheduler::Plugins plugins, const Worth& worth = nullptr);
    void wake_for_node(const scheduler::NodeInfo* before, const scheduler::NodeInfo* after);
    void wake_for_pod_that_came(const scheduler::PodInfo& pod);
    // `up_to`: pods of a higher priority never had to do with it.
    void wake_for_pod_that_went(const scheduler::PodInfo& pod, std::optional<int> up_to = std::nullopt);
    // Back-offs that end, and pods that have been refused for long.
    void look_at_waiting();
    void set_waiting_timer();
    void watch_volumes();
    void on_claim(const api::Informer::Change& change);
    void on_volume(const api::Informer::Change& change);
    void on_class(const api::Informer::Change& change);
    void wake_binders();
    void watch_devices();
    void on_device_claim(const api::Informer::Change& change);
    void on_device_class(const api::Informer::Change& change);
    void on_waiting_pod(const std::string& key, Entry& entry, const scheduler::PodInfoPtr& before);

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
    bool bind_volumes(const std::string& key);
    std::string write_volumes(const scheduler::PodInfo& pod, const std::string& node, const ClaimsToBind& claims);
    std::string check_volumes(const scheduler::PodInfo& pod, const std::string& node, const ClaimsToBind& claims, bool& bound);
    std::shared_ptr<ClaimsToBind> assume_volumes(const scheduler::PodInfo& pod, const Volumes& volumes,
                                                 const scheduler::NodeInfo& node);
    void forget_volumes(const scheduler::PodInfo& pod, const ClaimsToBind& claims);
    static bool is_fully_bound(const api::Json& claim);
    std::string refusal_of_claims(const scheduler::PodInfo& pod, scheduler::Plugin& by);
    // Tells the API where a pod has been placed. A binding that is refused gives the place up again.
    void bind(const std::string& key);
    // Says where the pod is going to be while something has to be done before.
    void tell_expected_node(const std::string& key, Entry& entry);
    // After a failure of binding; nothing when the pod has gone or is elsewhere.
    void give_up_place(const std::string& key, const scheduler::PodInfo& pod, const std::string& node, const std::string& message);
    void fail(const std::string& key, Entry& entry, const Failure& failure);
    // What is said after the reasons of the nodes: what was tried to make room.
    std::string after_filters(const std::string& devices, const std::string& preemption) const;
    Volumes volumes_of(const scheduler::PodInfo& pod);
    scheduler::VolumeRule rule_of_bound(const std::string& volume_name);
    void read_capacity(const std::string& provisioner, const std::string& class_name,
                       const std::optional<api::Quantity>& wanted, scheduler::VolumeRule& rule);
    scheduler::VolumeRule rule_of_waiting(const api::Json& claim, const api::Json& storage_class);
    // Another pod that uses the claim; empty when there is none.
    std::string user_of_claim(const scheduler::PodInfo& pod, const std::string& claim) const;
    std::vector<scheduler::PodInfoPtr> promised_on(const std::string& node, const scheduler::PodInfo& pod) const;
    // Evicts pods of lower priority where that makes room; otherwise `why` is the text after "preemption: ".
    struct Preemption {
        std::optional<std::string> nominate;
        std::string why;
    };
    Preemption preempt(const std::string& key, Entry& entry, const scheduler::Filter& filter,
                       const std::map<std::string, scheduler::Verdict>& verdicts);
    // The same for a pod that no node takes, whatever goes.
    Preemption preempt_nobody(const Entry& entry) const;
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
    std::set<std::string> waiting_for_volumes_;
    std::map<std::string, std::string> assumed_volumes_;  // and the claim ("namespace/name") that is to have it
    std::map<std::string, std::string> assumed_claims_;   // "namespace/name", and the node for which it is made
    std::map<std::string, Entry, std::less<>> entries_;
    scheduler::SchedulingQueue queue_;
    std::set<std::string> nominated_;
};

}  // namespace kubemu::controllers
