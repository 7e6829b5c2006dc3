// KubeletController: all simulated nodes and the pods on them.
//
// It registers the nodes that the cluster is to have, adopts those that users create (simulated_nodes.h), and gives
// every pod on them a worker that moves it through its life on the clock, at the pace of its namespace (pace.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/subresources/pod_logs.h"
#include "api/subresources/pod_streams.h"
#include "controllers/kubelet/pace.h"
#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

struct NodeOptions {
    int count = 3;
    // From binding to Running for a pod of one container whose image must be pulled, where the pace is realistic.
    // Zero makes that pace instant: at once, with the fewest writes possible.
    Duration pod_startup_latency = std::chrono::seconds(1);
    std::string kubernetes_version = "v1.36.0";
    Pace pace = Pace::realistic;  // of namespaces that do not say otherwise
    // In place of `count` nodes with names as kind gives them: Node objects as kubelet::read_node_config makes them.
    std::shared_ptr<const std::vector<api::Json>> nodes = nullptr;
};

class KubeletController final : public Controller {
  public:
    KubeletController(Manager& manager, NodeOptions options);
    ~KubeletController() override;

    api::ApiResult<Requeue> reconcile(const std::string& key) override;
    void start() override;
    // Makes the nodes that are not there yet, as start() does; the error says which the API refuses, and why.
    Result<bool, std::string> register_nodes();
    // Lives as long as the controller. Thread-safe.
    api::PodLogs& logs();
    api::PodStreams& streams();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace kubemu::controllers
