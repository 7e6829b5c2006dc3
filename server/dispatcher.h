// Dispatcher: which part of the process answers a request: the Kubernetes API, or the clock.
#pragma once

#include <string_view>
#include <utility>

#include "api/handlers.h"
#include "server/clock_api.h"

namespace kubemu::server {

// Thread-safe.
class Dispatcher {
  public:
    Dispatcher(api::Handlers& handlers, ClockApi& clock) : handlers_(handlers), clock_(clock) {}

    void handle(api::Request request, api::HeadersPtr headers, api::Respond respond) {
        if (ClockApi::serves(request.path)) return clock_.handle(request, std::move(respond));
        respond = clock_.after_settling(request, std::move(respond));
        handlers_.handle(std::move(request), std::move(respond), std::move(headers));
    }

    // Whether those who answer want the headers of a request for this path.
    bool wants_headers(std::string_view path) const { return handlers_.passes_on(path); }

  private:
    api::Handlers& handlers_;
    ClockApi& clock_;
};

}  // namespace kubemu::server
