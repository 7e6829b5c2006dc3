// The life of the process, one step after the other.
#include "server/serve.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>

#include "server/cluster.h"
#include "server/http_server.h"
#include "server/kubeconfig.h"
#include "storage/base/idle_memory.h"
#include "storage/base/log.h"

namespace kubemu::server {
namespace {

int fail(const std::string& why) {
    std::fprintf(stderr, "kubemu: %s\n", why.c_str());
    return 1;
}

std::string text_of_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::uint64_t random_seed() {
    std::random_device device;
    return (static_cast<std::uint64_t>(device()) << 32) | device();
}

std::string url_of(const char* scheme, const std::string& address, std::uint16_t port) {
    const std::string host = address.find(':') == std::string::npos ? address : "[" + address + "]";
    return std::string(scheme) + "://" + host + ":" + std::to_string(port);
}

std::string plain_url(const ServeOptions& options, const HttpServer& server) {
    return url_of("http", options.http_address, server.port());
}

// Where this machine reaches a listener on all addresses.
std::string reachable(const std::string& address) {
    return address == "0.0.0.0" ? "127.0.0.1" : address == "::" ? "::1" : address;
}

// Empty without HTTPS.
std::string secure_url(const ServeOptions& options, const HttpServer& server) {
    return server.tls_port() == 0 ? std::string() : url_of("https", reachable(options.https_address), server.tls_port());
}

// Empty when it is written.
std::string write_kubeconfig(const ServeOptions& options, const Cluster& cluster, const HttpServer& server) {
    const std::string url = secure_url(options, server);
    std::string text = kubeconfig_text(plain_url(options, server));
    if (!url.empty()) {
        auto secure = secure_kubeconfig_text(url, cluster.authority(), cluster.connection_clock().now());
        if (!secure) return secure.error().message;
        text = std::move(*secure);
    }
    std::ofstream file(options.kubeconfig_path, std::ios::trunc);
    std::error_code ignored;
    // It holds the administrator's key.
    std::filesystem::permissions(options.kubeconfig_path,
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, ignored);
    file << text;
    file.close();
    return file ? std::string() : "cannot write " + options.kubeconfig_path;
}

}  // namespace

int print_kubeconfig(const std::string& url, const std::string& database) {
    if (url.rfind("https://", 0) != 0) {
        std::fputs(kubeconfig_text(url).c_str(), stdout);
        return 0;
    }
    const auto authority = api::CertificateAuthority::of_database(database);
    if (!authority) return fail(authority.error().message);
    const auto text = secure_kubeconfig_text(url, *authority, RealClock().now());
    if (!text) return fail(text.error().message);
    std::fputs(text->c_str(), stdout);
    return 0;
}

int serve(const ServeOptions& options, std::chrono::steady_clock::time_point begin) {
    set_log_level(options.verbose ? LogLevel::info : LogLevel::warning);
    limit_free_memory();
    if (!options.database_path.empty()) {
        const auto folder = std::filesystem::path(options.database_path).parent_path();
        std::error_code error;
        if (!folder.empty()) std::filesystem::create_directories(folder, error);
        if (error) return fail("cannot make " + folder.string() + ": " + error.message());
    }
    ClusterOptions cluster_options;
    cluster_options.database_path = options.database_path;
    cluster_options.sync_full = options.sync_full;
    cluster_options.nodes = options.nodes;
    cluster_options.controllers = options.controllers;
    cluster_options.kubernetes_version = full_version(options.kubernetes_version);
    cluster_options.seed = options.seed.value_or(random_seed());
    cluster_options.pod_startup_latency = options.pod_startup_latency;
    cluster_options.clock = options.clock;
    cluster_options.node_config_path = options.node_config_path;
    cluster_options.pace = options.pace;
    cluster_options.authorization = options.authorization;
    cluster_options.service_addresses = options.service_addresses;
    cluster_options.audit_log_path = options.audit_log_path;
    cluster_options.service_network = options.service_network;
    cluster_options.disabled_plugins = options.disabled_plugins;
    if (!options.token_auth_file.empty()) {
        auto users = api::TokenFile::parse(text_of_file(options.token_auth_file), options.token_auth_file);
        if (!users) return fail(users.error());
        cluster_options.token_file = std::move(*users);
    }

    auto cluster = Cluster::open(cluster_options);
    if (!cluster) return fail(cluster.error());
    std::unique_ptr<Tls> tls;
    if (!options.https_address.empty()) {
        auto made = Tls::make((*cluster)->authority(), {options.https_address, (*cluster)->service_address()},
                              (*cluster)->connection_clock().now());
        if (!made) return fail(made.error());
        tls = std::move(*made);
    }
    const Filters filters({.access = (*cluster)->access(), .anonymous = options.anonymous_auth});
    auto server = HttpServer::listen({.address = options.http_address,
                                      .port = options.http_port,
                                      .tls = tls.get(),
                                      .tls_address = options.https_address,
                                      .tls_port = options.https_port,
                                      .threads = options.threads,
                                      .log_requests = options.verbose,
                                      .audit = (*cluster)->audit(),
                                      .dispatcher = (*cluster)->dispatcher(),
                                      .filters = filters,
                                      .clock = (*cluster)->connection_clock()});
    if (!server) return fail(server.error());

    if (!options.kubeconfig_path.empty()) {
        if (const std::string why = write_kubeconfig(options, **cluster, **server); !why.empty()) return fail(why);
    }
    // Watches begin to see what the controllers do from here on.
    (*cluster)->start();
    (*server)->start();
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
    const std::string secure = secure_url(options, **server);
    std::printf("kubemu ready on %s%s%s, database %s, started in %.1f ms\n", plain_url(options, **server).c_str(),
                secure.empty() ? "" : ", ", secure.c_str(),
                options.database_path.empty() ? "in memory" : options.database_path.c_str(),
                static_cast<double>(took.count()) / 1000.0);
    std::fflush(stdout);

    (*server)->wait_for_signal();
    (*server)->stop();
    (*cluster)->stop();
    return 0;
}

}  // namespace kubemu::server
