// The command line, by CLI11.
#include "server/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <regex>
#include <set>

#include "api/admission/chain.h"
#include "api/values/ip_address.h"
#include "server/clock_api.h"

namespace kubemu::server {
namespace {

std::string default_database_path() {
    const char* state = std::getenv("XDG_STATE_HOME");
    if (state != nullptr && *state != '\0') return std::string(state) + "/kubemu/kubemu.db";
    const char* home = std::getenv("HOME");
    return std::string(home != nullptr ? home : ".") + "/.local/state/kubemu/kubemu.db";
}

// As the clock's durations; a number alone is in seconds.
std::optional<Duration> parse_duration(const std::string& text) {
    const bool plain = !text.empty() && text.find_first_not_of("0123456789.") == std::string::npos;
    return parse_clock_duration(plain ? text + "s" : text);
}

bool is_loopback(const std::string& address) {
    return address == "localhost" || address == "::1" || address.rfind("127.", 0) == 0;
}

// "ADDR:PORT", "[::1]:PORT" or "PORT".
bool parse_endpoint(const std::string& text, std::string& address, std::uint16_t& port) {
    std::string digits = text;
    const std::size_t colon = text.rfind(':');
    if (colon != std::string::npos) {
        address = text.substr(0, colon);
        digits = text.substr(colon + 1);
        if (address.size() > 2 && address.front() == '[' && address.back() == ']') {
            address = address.substr(1, address.size() - 2);
        }
        if (address.empty()) address = "0.0.0.0";
    }
    if (digits.empty() || digits.size() > 5 || !std::all_of(digits.begin(), digits.end(), ::isdigit)) return false;
    const int number = std::stoi(digits);
    if (number > 65535) return false;
    port = static_cast<std::uint16_t>(number);
    return true;
}

std::vector<std::string> split_list(const std::string& text) {
    std::vector<std::string> parts;
    std::size_t begin = 0;
    while (begin <= text.size()) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        if (end > begin) parts.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

constexpr const char* serve_footer = R"(Examples:
  kubemu serve                                   # then: kubectl get nodes
  kubemu serve --ephemeral --http 127.0.0.1:0    # a throw-away cluster on a free port
  kubemu serve --db ./course.db --nodes 5 -v
  kubemu serve --controllers '*,-scheduler,-kubelet'   # bring your own scheduler and nodes

kubectl and curl need no configuration for http://127.0.0.1:8080; for any other address:
  kubemu kubeconfig --server http://127.0.0.1:9090 > kubemu.yaml && export KUBECONFIG=$PWD/kubemu.yaml)";

}  // namespace

bool controller_enabled(const std::vector<std::string>& list, std::string_view name) {
    bool star = false;
    for (const std::string& entry : list) {
        if (entry == name) return true;
        if (entry.size() == name.size() + 1 && entry[0] == '-' && entry.substr(1) == name) return false;
        if (entry == "*") star = true;
    }
    return star;
}

std::string full_version(std::string_view text) {
    static const std::regex form(R"(v?([0-9]+)\.([0-9]+)(?:\.([0-9]+))?)");
    std::match_results<std::string_view::const_iterator> match;
    if (!std::regex_match(text.begin(), text.end(), match, form)) return {};
    return "v" + match[1].str() + "." + match[2].str() + "." + (match[3].matched ? match[3].str() : "0");
}

// kubernetes cmd/kube-apiserver/app/options/validation.go and pkg/controlplane/apiserver/options (getServiceIPAndRanges).
bool is_service_network(const std::string& text) {
    constexpr int v4_bits_min = 12, v4_bits_max = 29, v6_bits_min = 64, v6_bits_max = 125;
    const auto network = api::IpNetwork::parse(text);
    if (!network) return false;
    return network->v4 ? network->prefix_bits >= v4_bits_min && network->prefix_bits <= v4_bits_max
                       : network->prefix_bits >= v6_bits_min && network->prefix_bits <= v6_bits_max;
}

// One network, or one of each family, each in its canonical form; nothing otherwise.
std::optional<std::string> service_networks(const std::string& text) {
    const std::vector<std::string> networks = api::kinds::split_service_networks(text);
    if (networks.size() > 2) return std::nullopt;
    std::string canonical;
    std::set<bool> families;
    for (const std::string& each : networks) {
        if (!is_service_network(each)) return std::nullopt;
        const auto network = api::IpNetwork::parse(each);
        if (!families.insert(network->v4).second) return std::nullopt;
        canonical += (canonical.empty() ? "" : ",") + network->text();
    }
    return canonical;
}

// Older releases serve too little of what the controllers here need: 1.20 is the first with flowcontrol.
bool is_served_release(const std::string& version) {
    constexpr int oldest_minor = 20;
    constexpr std::string_view major = "v1.";
    return version.starts_with(major) && std::atoi(version.c_str() + major.size()) >= oldest_minor;
}

Result<Options, Exit> parse_options(int argc, const char* const* argv) {
    Options options;
    CLI::App app{"kubemu: a Kubernetes cluster in one small program"};
    app.footer("Run 'kubemu serve --help' for what a cluster can be told.");
    app.require_subcommand(1);

    CLI::App* serve = app.add_subcommand("serve", "Start a cluster and serve its API until it is interrupted");
    std::string endpoint = "127.0.0.1:8080";
    std::string database;
    bool ephemeral = false;
    std::string durability = "full";
    std::string controllers = "*";
    std::string latency = "1s";
    std::uint64_t seed = 0;
    ServeOptions& to = options.serve;
    serve->add_option("--http", endpoint, "Address and port of the API; port 0 takes a free one")
        ->capture_default_str()
        ->type_name("ADDR:PORT");
    std::string secure_endpoint;
    serve->add_option("--https", secure_endpoint,
                      "Address and port of the API over HTTPS, where clients show a certificate or a token")
        ->type_name("ADDR:PORT");
    serve->add_option("--write-kubeconfig", to.kubeconfig_path, "Write a kubeconfig there when the cluster is ready")
        ->type_name("PATH");
    serve->add_flag("--allow-remote-http", to.allow_remote_http,
                    "Allow an address that other machines reach: there is no authentication, whoever connects is admin");
    auto* database_option = serve->add_option("--db", database, "Database file; made when it is missing (default: " +
                                                                    default_database_path() + ")")
                                ->type_name("PATH");
    serve->add_flag("--ephemeral", ephemeral, "Keep everything in memory and forget it at the end")->excludes(database_option);
    serve->add_option("--durability", durability,
                      "full: an answered write survives a power cut; normal: it survives the end of the process")
        ->check(CLI::IsMember({"full", "normal"}))
        ->capture_default_str();
    auto* nodes_option = serve->add_option("--nodes", to.nodes, "Simulated nodes; the first is a control plane with its taint")
                             ->check(CLI::Range(0, 5000))
                             ->capture_default_str();
    serve->add_option("--node-config", to.node_config_path,
                      "Nodes from a YAML file in place of --nodes: a list 'nodes' of groups with count, name (worker-{}), labels, "
                      "annotations, taints, capacity, allocatable, unschedulable")
        ->type_name("PATH")
        ->check(CLI::ExistingFile)
        ->excludes(nodes_option);
    std::string node_pace = "realistic";
    serve->add_option("--pace", node_pace,
                      "How pods on nodes move: realistic, within --pod-startup-latency; instant, at once; frozen, not at all. "
                      "What takes no notice of SIGTERM lasts its terminationGracePeriodSeconds, at an instant pace it is killed at once. "
                      "The annotation kubemu.io/pace of a Namespace says otherwise for its pods")
        ->check(CLI::IsMember({"realistic", "instant", "frozen"}))
        ->capture_default_str();
    serve->add_option("--controllers", controllers,
                      "Controllers to run: '*' for all, 'name' for one, '-name' to leave one out")
        ->capture_default_str()
        ->type_name("LIST");
    serve->add_option("--kubernetes-version", to.kubernetes_version, "Kubernetes release to answer as")
        ->capture_default_str()
        ->type_name("VERSION");
    auto* seed_option = serve->add_option("--seed", seed, "Seed of everything random (names, uids, addresses)");
    serve->add_option("--pod-startup-latency", latency, "Time from scheduled to running, image pull included; 0 is an instant pace, where with more than 500 pods the events of further starts are left out")
        ->capture_default_str()
        ->type_name("DURATION");
    std::string clock = "real";
    serve->add_option("--clock", clock,
                      "Pace of the cluster's time: real; scaled=60 (an hour takes a minute); virtual, which stands still until "
                      "'kubemu clock' turns it, from virtual=TIME or 2026-01-01T00:00:00Z on")
        ->capture_default_str()
        ->type_name("PACE");
    std::string modes = "RBAC";
    serve->add_option("--authorization-mode", modes,
                      "How users who are not admin are judged, in this order: RBAC, AlwaysAllow, AlwaysDeny")
        ->capture_default_str()
        ->type_name("LIST");
    serve->add_option("--token-auth-file", to.token_auth_file,
                      "Users with bearer tokens, one a line: token,user,uid,\"group1,group2\"")
        ->type_name("PATH")
        ->check(CLI::ExistingFile);
    serve->add_option("--anonymous-auth", to.anonymous_auth,
                      "Take requests without credentials from system:anonymous (true) or refuse them (false); without this "
                      "flag they come from the administrator")
        ->type_name("BOOL");
    std::vector<std::string> service_addresses;
    serve->add_option("--service-address", service_addresses,
                      "Where webhooks and aggregated API servers that are configured with a Service are called: it has no "
                      "network of its own here. Without it, at the endpoints that the Service has. May be repeated")
        ->type_name("NAMESPACE/NAME=HOST:PORT");
    serve->add_option("--service-cluster-ip-range", to.service_network,
                      "Network of the addresses of Services, when the database is made, or one of IPv4 and one of IPv6 with a comma "
                      "between, the one that Services have by themselves first; ServiceCIDR objects add others")
        ->capture_default_str()
        ->type_name("CIDR");
    std::string disabled_plugins;
    serve->add_option("--disable-admission-plugins", disabled_plugins,
                      "Admission plugins of kube-apiserver that are not to run, for example ServiceAccount,PodSecurity")
        ->type_name("LIST");
    serve->add_option("--threads", to.threads, "Threads that answer requests")->check(CLI::Range(1, 64))->capture_default_str();
    serve->add_option("--audit-log-path", to.audit_log_path,
                      "File to which a line is added for each request: who asked for what, and what came of it (audit.k8s.io/v1, "
                      "level Metadata); - is standard output")
        ->type_name("FILE");
    serve->add_flag("-v,--verbose", to.verbose, "Log every request on standard error");
    serve->footer(serve_footer);

    CLI::App* kubeconfig = app.add_subcommand("kubeconfig", "Print a kubeconfig for a running cluster");
    kubeconfig->add_option("--server", options.kubeconfig_server, "URL of the API")->capture_default_str();
    kubeconfig->add_option("--db", options.kubeconfig_database,
                           "Database of the cluster, whose certificates an https URL needs (default: " + default_database_path() + ")")
        ->type_name("PATH");
    CLI::App* clock_app = app.add_subcommand("clock", "Show or turn the clock of a running cluster (kubemu serve --clock virtual)");
    clock_app->add_option("--server", options.clock.server, "URL of the API")->capture_default_str();
    clock_app->require_subcommand(1);
    clock_app->fallthrough();
    clock_app->add_subcommand("show", "What it shows, and what waits for which time");
    CLI::App* advance = clock_app->add_subcommand("advance", "Turn it by a duration, stopping at everything that is due on the way");
    advance->add_option("DURATION", options.clock.argument, "For example 90s, 1h30m or 2d")->required();
    CLI::App* set = clock_app->add_subcommand("set", "Turn it to a time, stopping at everything that is due on the way");
    set->add_option("TIME", options.clock.argument, "In RFC 3339, for example 2026-03-01T12:00:00Z")->required();
    CLI::App* settle = clock_app->add_subcommand("settle", "Wait until no controller has anything left to do now");
    CLI::App* version = app.add_subcommand("version", "Print the version of this program");

    try {
        app.parse(argc, argv);
    } catch (const CLI::Success&) {  // --help
        const CLI::App* chosen = &app;
        std::string path;
        for (; !chosen->get_subcommands().empty(); chosen = chosen->get_subcommands().front()) {
            path += (path.empty() ? "" : " ") + chosen->get_name();
        }
        return Exit{0, path.empty() ? app.help() : chosen->help(path)};
    } catch (const CLI::ParseError& error) {
        return Exit{2, std::string("kubemu: ") + error.what() + " (see 'kubemu serve --help')\n"};
    }

    if (version->parsed()) options.command = Options::Command::version;
    if (clock_app->parsed()) {
        options.command = Options::Command::clock;
        options.clock.action = advance->parsed()  ? ClockCommand::Action::advance
                               : set->parsed()    ? ClockCommand::Action::set
                               : settle->parsed() ? ClockCommand::Action::settle
                                                  : ClockCommand::Action::show;
        return options;
    }
    if (kubeconfig->parsed()) options.command = Options::Command::kubeconfig;
    if (options.kubeconfig_database.empty()) options.kubeconfig_database = default_database_path();
    if (!serve->parsed()) return options;

    options.command = Options::Command::serve;
    if (!parse_endpoint(endpoint, to.http_address, to.http_port)) {
        return Exit{2, "kubemu: --http " + endpoint + ": expected ADDR:PORT, for example 127.0.0.1:8080\n"};
    }
    if (!is_loopback(to.http_address) && !to.allow_remote_http) {
        return Exit{2, "kubemu: --http " + endpoint +
                           ": other machines could reach this address and would be admin; "
                           "add --allow-remote-http if that is what you want\n"};
    }
    if (!secure_endpoint.empty()) {
        to.https_address = "127.0.0.1";
        if (!parse_endpoint(secure_endpoint, to.https_address, to.https_port)) {
            return Exit{2, "kubemu: --https " + secure_endpoint + ": expected ADDR:PORT, for example 127.0.0.1:6443\n"};
        }
        if (to.https_address == "localhost") to.https_address = "127.0.0.1";
    }
    if (to.http_address == "localhost") to.http_address = "127.0.0.1";
    const std::optional<Duration> duration = parse_duration(latency);
    if (!duration) {
        return Exit{2, "kubemu: --pod-startup-latency " + latency + ": expected a duration such as 0, 250ms or 2s\n"};
    }
    to.pod_startup_latency = *duration;
    const std::optional<ClockOptions> pace = ClockOptions::parse(clock);
    if (!pace) {
        return Exit{2, "kubemu: --clock " + clock + ": expected real, scaled=FACTOR, virtual or virtual=2026-01-01T00:00:00Z\n"};
    }
    to.clock = *pace;
    to.pace = controllers::pace_named(node_pace).value_or(controllers::Pace::realistic);
    if (full_version(to.kubernetes_version).empty()) {
        return Exit{2, "kubemu: --kubernetes-version " + to.kubernetes_version + ": expected a release such as 1.28 or v1.28.7\n"};
    }
    if (!is_served_release(full_version(to.kubernetes_version))) {
        return Exit{2, "kubemu: --kubernetes-version " + to.kubernetes_version + ": expected 1.20 or a newer release of Kubernetes 1\n"};
    }
    to.authorization.clear();
    for (const std::string& name : split_list(modes)) {
        const auto mode = api::Authorizer::mode_named(name);
        if (!mode) return Exit{2, "kubemu: --authorization-mode " + name + ": expected RBAC, AlwaysAllow or AlwaysDeny\n"};
        to.authorization.push_back(*mode);
    }
    if (to.authorization.empty()) return Exit{2, "kubemu: --authorization-mode: expected RBAC, AlwaysAllow or AlwaysDeny\n"};
    for (const std::string& text : service_addresses) {
        const std::size_t equals = text.find('='), slash = text.find('/');
        std::string host;
        std::uint16_t port = 0;
        if (equals == std::string::npos || slash == 0 || slash >= equals - 1 || text.find(':', equals) == std::string::npos ||
            !parse_endpoint(text.substr(equals + 1), host, port)) {
            return Exit{2, "kubemu: --service-address " + text + ": expected NAMESPACE/NAME=HOST:PORT, for example default/hook=127.0.0.1:8443\n"};
        }
        to.service_addresses[text.substr(0, equals)] = text.substr(equals + 1);
    }
    const auto networks = service_networks(to.service_network);
    if (!networks) {
        return Exit{2, "kubemu: --service-cluster-ip-range " + to.service_network +
                           ": expected an IPv4 network of 8 to 1048576 addresses, an IPv6 network of 64 to 125 bits, or one of "
                           "each, for example 10.96.0.0/12 or 10.96.0.0/16,fd00:10:96::/112\n"};
    }
    to.service_network = *networks;
    to.disabled_plugins = split_list(disabled_plugins);
    for (const std::string& name : to.disabled_plugins) {
        if (!api::is_admission_plugin(name)) {
            return Exit{2, "kubemu: --disable-admission-plugins: admission-control plugin \"" + name + "\" is unknown\n"};
        }
    }
    to.controllers = split_list(controllers);
    to.sync_full = durability == "full";
    if (seed_option->count() > 0) to.seed = seed;
    to.database_path = ephemeral ? "" : database.empty() ? default_database_path() : database;
    return options;
}

}  // namespace kubemu::server
