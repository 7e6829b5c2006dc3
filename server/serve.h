// `kubemu serve`: start a cluster, serve it until a signal, end cleanly.
#pragma once

#include <chrono>

#include "server/options.h"

namespace kubemu::server {

// Returns the process's exit code. `begin` is when the process started, for the start-up time it prints.
int serve(const ServeOptions& options, std::chrono::steady_clock::time_point begin);

}  // namespace kubemu::server
