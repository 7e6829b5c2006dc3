// KubeletController: all simulated nodes and the pods on them.
//
// It registers Node objects as kind would name them, keeps their leases fresh, and gives every pod on them a worker
// that moves it through its life on the clock. Nodes that somebody else created are left alone.
#pragma once

#include <memory>
#include <string>

#include "api/subresources/pod_logs.h"
#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

struct NodeOptions {
    int count = 3;
    // From binding to Running for a pod of one container whose image must be pulled. Zero: at once, with the fewest
    // writes possible (one status per pod and no events of normal life).
    Duration pod_startup_latency = std::chrono::seconds(1);
    std::string kubernetes_version = "v1.36.0";
};

class KubeletController final : public Controller {
  public:
    KubeletController(Manager& manager, NodeOptions options);
    ~KubeletController() override;

    api::ApiResult<Requeue> reconcile(const std::string& key) override;
    void start() override;
    // Lives as long as the controller. Thread-safe.
    api::PodLogs& logs();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace kubemu::controllers
