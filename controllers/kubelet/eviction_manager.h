// EvictionManager: a kubelet short of something reports it and ends pods, one in ten seconds, until it is no longer
// (pkg/kubelet/eviction/eviction_manager.go).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "controllers/kubelet/nodes.h"
#include "controllers/kubelet/pressure.h"
#include "controllers/runtime/manager.h"

namespace kubemu::controllers::kubelet {

class EvictionManager {
  public:
    struct Options {
        Manager& manager;
        std::function<std::shared_ptr<EventRecorder>(const std::string& node)> events;
        // The pods that it moves there, with their documents.
        std::function<std::vector<std::pair<std::string, api::Json>>(const std::string& node)> pods;
        std::function<void(const std::string& pod_key, const EvictionText& text, const std::string& resource)> evict;
        // The node reports these conditions as True now.
        std::function<void(const std::string& node, const std::set<std::string>& conditions)> report;
    };
    explicit EvictionManager(Options options) : options_(std::move(options)) {}

    // What the node's annotations say may have changed.
    void observe(const api::Json& node, const NodeWishes& wishes);
    void forget(const std::string& node);
    // Something came that it could evict.
    void pod_came(const std::string& node);
    // Why a kubelet under pressure does not take the pod; empty when it does.
    std::string refusal(const std::string& node, const api::Json& pod) const;

  private:
    struct Observation {
        std::string stated;                // the annotation's text
        std::optional<std::int64_t> said;  // nothing: short of it for ever
        std::int64_t relieved = 0;         // what evicted pods used
    };
    struct Node {
        std::string uid;
        std::map<std::string, std::int64_t> thresholds;  // by signal
        std::map<std::string, Observation> observed;     // by signal
        std::map<std::string, Time> last_seen;           // of each condition
        std::set<std::string> reported, forced;          // conditions; those an annotation sets
        Time next_look{};
        bool waits_for_pods = false;
    };
    void look(const std::string& name);
    const Signal* most_urgent(const Node& node) const;
    std::int64_t available(const Signal& signal, const Node& node) const;
    bool evict_one(const std::string& name, Node& node, const Signal& signal);
    std::optional<Time> update_conditions(const std::string& name, Node& node);

    Options options_;
    std::map<std::string, Node> nodes_;
};

}  // namespace kubemu::controllers::kubelet
