// Handlers: from a Request to a Response; the whole API surface below HTTP.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "api/access.h"
#include "api/headers.h"
#include "api/registry.h"
#include "api/request.h"
#include "api/subresources/pod_logs.h"

namespace kubemu::api {

class AggregatedServices;
class AuditLog;
class PodStreams;
class RemoteCaller;

// Thread-safe.
class Handlers {
  public:
    struct Options {
        Registry& registry;
        const Access& access;
        PodLogs* logs = nullptr;                   // null: the cluster has no simulated nodes
        PodStreams* streams = nullptr;             // likewise
        RemoteCaller* remote = nullptr;  // who calls webhooks and aggregated servers; null: nobody
        const AggregatedServices* aggregated = nullptr;  // groups that other servers answer for; null: there are none
        std::string kubernetes_version = "v1.36.0";  // what /version says
        const AuditLog* audit = nullptr;             // null: there is none
        const Clock* connection_clock = nullptr;     // for time-outs of watches; null: the registry's
    };
    explicit Handlers(Options options);
    ~Handlers();

    // Never throws for anything that a client can send.
    // `headers` are for other servers to which the request is passed on; null: those that the request has fields for.
    void handle(Request request, Respond respond, HeadersPtr headers = nullptr);
    // Whether a request for this path may be passed on.
    bool passes_on(std::string_view path) const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace kubemu::api
