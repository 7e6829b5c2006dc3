// SimulatedNodes: which Node objects kubemu plays the kubelet of, and what those kubelets tell about
// themselves.
//
// Simulated are the nodes that the cluster was told to have, and those that a user creates:
//   - with the annotation kubemu.io/node: simulated, or kwok.x-k8s.io/node: fake, at once;
//   - without either, when nobody else has spoken for it (no Ready condition) for three seconds after its
//   creation;
//     the annotation then says so, for later runs;
//   - never with another value of these annotations.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/client.h"
#include "api/renewal.h"
#include "controllers/kubelet/nodes.h"
#include "controllers/runtime/controller.h"

namespace kubemu::controllers::kubelet {

class SimulatedNodes {
  public:
    struct Options {
        Manager& manager;
        api::Client& client;
        std::vector<api::Json> configured;  // as read_node_config makes them
        std::string kubernetes_version;
        bool quiet = false;  // no events of nodes that come
        // The pods on this node have to be looked at: it came, went, fell silent or speaks again.
        std::function<void(const std::string& node)> wake_pods;
        std::function<void(const std::string& node)> enqueue;  // sync() is to be called
        // Brings status.images of a node up to date.
        std::function<void(const std::string& node, api::Json& status_images)> images;
        // What the node's annotations ask for, whenever that may have changed.
        std::function<void(const api::Json& node, const NodeWishes& wishes)> wishes_read;
        std::function<void(const std::string& node)> forgotten;
        // A Stage of a user says what this node reports.
        std::function<bool(const storage::Record& node)> staged;
    };
    explicit SimulatedNodes(Options options);

    // Makes the configured nodes that are not there. The error says which the API refused, and why.
    Result<bool, std::string> register_configured();
    void start();
    // One node: adopts it, follows its wishes, or forgets it.
    api::ApiResult<Requeue> sync(const std::string& name);

    // The conditions that its kubelet observes are these now.
    void set_pressures(const std::string& name, const std::set<std::string>& conditions);
    // It has an image more: that is in its status within ten seconds (--node-status-update-frequency).
    void image_came(const std::string& name);
    // Reports all nodes anew; with `phase` they also say that they are Running, which KWOK's Stages look for.
    void report_phase(bool phase);

    bool has(const std::string& name) const { return nodes_.count(name) > 0; }
    // Its kubelet works: pods on it move.
    bool answers(const std::string& name) const;
    const NodeIdentity& identity(const std::string& name) const { return nodes_.at(name).identity; }
    std::string ip(const std::string& name) const;
    // Null when there is no such node.
    std::shared_ptr<EventRecorder> events(const std::string& name) const {
        const auto found = nodes_.find(name);
        return found == nodes_.end() ? nullptr : found->second.events;
    }

  private:
    struct Node {
        NodeIdentity identity;
        std::string uid;
        NodeWishes wishes;
        std::set<std::string> pressures;
        std::map<std::string, std::string> shown;  // status of each condition, as written last
        std::shared_ptr<EventRecorder> events;
        std::shared_ptr<api::Renewal> lease;
    };
    enum class Claim { ours, others, later };

    const api::KindSpec& kind() const { return options_.manager.kind("nodes"); }
    Time now() const { return options_.manager.clock().now(); }
    Claim claim(const api::Json& node) const;
    NodeIdentity identify(const api::Json& node);
    Node& remember(NodeIdentity identity, const std::string& uid);
    api::ApiResult<bool> adopt(const std::string& name, const api::Json& node);
    api::ApiResult<bool> report(const std::string& name, Node& node);
    void tell(const std::string& name, Node& node, const api::Json& document, bool first);
    api::ApiResult<bool> renew_lease(const std::string& name, const std::string& uid);
    void renew_leases();
    void report_one(const std::string& name);
    void report_all();

    Options options_;
    api::Informer& informer_;
    std::set<std::string> configured_names_;
    std::map<std::string, Node> nodes_;
    std::set<std::string> used_ips_, used_ranges_;
    std::set<std::string> nodes_with_new_images_;
    int next_number_ = 0;
    bool phase_ = false;
};

}  // namespace kubemu::controllers::kubelet
