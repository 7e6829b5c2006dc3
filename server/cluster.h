// Cluster: the composition root. It alone knows how the parts fit together.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "api/access.h"
#include "api/authentication/certificate_authority.h"
#include "api/handlers.h"
#include "api/kinds/networking/service_networks.h"
#include "controllers/kubelet/pace.h"
#include "server/clock_options.h"
#include "server/dispatcher.h"
#include "server/https_caller.h"
#include "storage/base/clock.h"
#include "storage/base/result.h"

namespace kubemu::server {

struct ClusterOptions {
    std::string database_path;  // empty: in memory
    bool sync_full = true;
    int nodes = 3;
    std::vector<std::string> controllers = {"*"};
    std::string kubernetes_version = "v1.36.0";
    std::uint64_t seed = 1;
    Duration pod_startup_latency = std::chrono::seconds(1);
    ClockOptions clock;
    std::string node_config_path;  // empty: `nodes` of them
    controllers::Pace pace = controllers::Pace::realistic;
    std::vector<api::Authorizer::Mode> authorization = {api::Authorizer::Mode::rbac};
    api::TokenFile token_file;  // users with fixed tokens
    ServiceAddresses service_addresses;
    std::string audit_log_path;  // empty: no audit log
    std::string service_network{api::kinds::default_service_network};
    std::vector<std::string> disabled_plugins;  // of admission
};

class Cluster {
  public:
    // Opens the database and makes what a cluster has from the start. The error is a sentence for the terminal.
    static Result<std::unique_ptr<Cluster>, std::string> open(const ClusterOptions& options);
    ~Cluster();

    // The controllers begin to work. With a clock that stands still it returns when they have done what there was to do.
    void start();
    // They end; everything accepted is on disk when this returns.
    void stop();

    Dispatcher& dispatcher();
    const api::Access& access() const;
    const api::CertificateAuthority& authority() const;
    // The address of the Service "kubernetes".
    std::string service_address() const;
    const api::AuditLog* audit() const;  // null: there is none
    // The machine's clock, by which connections and their certificates live.
    const Clock& connection_clock() const;

  private:
    struct Impl;
    explicit Cluster(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace kubemu::server
