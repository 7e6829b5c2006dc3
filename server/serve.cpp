// The life of the process, one step after the other.
#include "server/serve.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>

#include "server/cluster.h"
#include "server/http_server.h"
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

}  // namespace

int serve(const ServeOptions& options, std::chrono::steady_clock::time_point begin) {
    set_log_level(options.verbose ? LogLevel::info : LogLevel::warning);
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

    cluster_options.authorization = options.authorization;
    if (!options.token_auth_file.empty()) {
        auto users = api::TokenFile::parse(text_of_file(options.token_auth_file), options.token_auth_file);
        if (!users) return fail(users.error());
        cluster_options.token_file = std::move(*users);
    }

    auto cluster = Cluster::open(cluster_options);
    if (!cluster) return fail(cluster.error());
    const Filters filters({.access = (*cluster)->access(), .anonymous = options.anonymous_auth});
    auto server = HttpServer::listen({.address = options.http_address,
                                      .port = options.http_port,
                                      .threads = options.threads,
                                      .log_requests = options.verbose,
                                      .handlers = (*cluster)->handlers(),
                                      .filters = filters,
                                      .clock = (*cluster)->clock()});
    if (!server) return fail(server.error());

    // Watches begin to see what the controllers do from here on.
    (*cluster)->start();
    (*server)->start();
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
    const std::string host =
        options.http_address.find(':') == std::string::npos ? options.http_address : "[" + options.http_address + "]";
    std::printf("kubemu ready on http://%s:%d, database %s, started in %.1f ms\n", host.c_str(), (*server)->port(),
                options.database_path.empty() ? "in memory" : options.database_path.c_str(),
                static_cast<double>(took.count()) / 1000.0);
    std::fflush(stdout);

    (*server)->wait_for_signal();
    (*server)->stop();
    (*cluster)->stop();
    return 0;
}

}  // namespace kubemu::server
