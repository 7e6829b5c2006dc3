// `kubemu serve`: start a cluster, serve it until a signal, end cleanly.
#pragma once

#include <chrono>

#include "server/options.h"

namespace kubemu::server {

// Returns the process's exit code. `begin` is when the process started, for the start-up time it prints.
int serve(const ServeOptions& options, std::chrono::steady_clock::time_point begin);

// Prints a kubeconfig for a URL; for https with the certificates of a database. The exit code.
int print_kubeconfig(const std::string& url, const std::string& database);

}  // namespace kubemu::server
