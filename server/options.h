// Options: every flag of the command line, its default and its help text.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/authorization/authorizer.h"
#include "api/kinds/networking/service_networks.h"
#include "controllers/kubelet/pace.h"
#include "server/clock_command.h"
#include "server/clock_options.h"
#include "storage/base/clock.h"
#include "storage/base/result.h"

namespace kubemu::server {

struct ServeOptions {
    std::string http_address = "127.0.0.1";
    std::uint16_t http_port = 8080;  // 0: any free port, printed when ready
    bool allow_remote_http = false;
    std::string database_path;       // empty: in memory
    bool sync_full = true;
    int nodes = 3;
    std::vector<std::string> controllers = {"*"};
    std::string kubernetes_version = "1.36";
    std::optional<std::uint64_t> seed;
    Duration pod_startup_latency = std::chrono::milliseconds(1000);
    std::string node_config_path;  // empty: `nodes` of them
    controllers::Pace pace = controllers::Pace::realistic;
    std::string https_address;  // empty: no HTTPS
    std::uint16_t https_port = 0;
    std::string kubeconfig_path;  // where to write a kubeconfig when ready; empty: nowhere
    int threads = 2;
    std::vector<api::Authorizer::Mode> authorization = {api::Authorizer::Mode::rbac};
    std::string token_auth_file;         // empty: none
    std::optional<bool> anonymous_auth;  // see Filters::Options
    // "NAMESPACE/NAME" of Services to HOST:PORT: where webhooks and aggregated servers behind them are called.
    std::map<std::string, std::string> service_addresses;
    std::string audit_log_path;
    std::string service_network{api::kinds::default_service_network};
    std::vector<std::string> disabled_plugins;  // of admission
    bool verbose = false;
    ClockOptions clock;
};

struct Options {
    enum class Command { serve, kubeconfig, clock, version, none };
    Command command = Command::none;
    ServeOptions serve;
    std::string kubeconfig_server = "http://127.0.0.1:8080";
    std::string kubeconfig_database;  // for HTTPS: whose certificates to take
    ClockCommand clock;
};

// What the shell gets when there is nothing to run: help text (0) or a complaint (2).
struct Exit {
    int code = 0;
    std::string output;  // for standard output when the code is 0, else for standard error
};

Result<Options, Exit> parse_options(int argc, const char* const* argv);

// Whether a controller runs under a list in kube-controller-manager's syntax: the last of "*", "name" and "-name"
// that speaks of it decides, a name before "*".
bool controller_enabled(const std::vector<std::string>& list, std::string_view name);

// "1.36", "v1.36" or "v1.36.2" as "v1.36.2" (a missing patch release is 0); empty when it is none of these.
std::string full_version(std::string_view text);

}  // namespace kubemu::server
