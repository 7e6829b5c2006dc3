// Filters: what every request passes before the handlers: who sends it, as whom, and whether they may.
#pragma once

#include <optional>
#include <string>

#include "api/access.h"
#include "api/authentication/impersonation.h"
#include "api/request.h"
#include "api/values/status.h"

namespace kubemu::server {

// What a connection and the headers of a request say about its sender.
struct Credentials {
    std::string authorization;               // the header
    api::ImpersonationHeaders impersonation;
    const api::User* certificate = nullptr;  // the user of a verified client certificate
    bool refused = false;                    // it showed a certificate that is not good
    bool trusted = false;                    // whoever connects here is the administrator, if they don't say otherwise
};

// Thread-safe.
class Filters {
  public:
    struct Options {
        const api::Access& access;
        // What becomes of requests without credentials: they come from system:anonymous, or are refused (401).
        // Not said: where the connection is trusted they come from the administrator, else from system:anonymous.
        std::optional<bool> anonymous;
    };
    explicit Filters(Options options) : options_(options) {}

    // Sets the request's user; an error ends the request. A trusted request without credentials costs next to nothing.
    api::ApiResult<bool> apply(api::Request& request, const Credentials& credentials) const;

  private:
    Options options_;
};

}  // namespace kubemu::server
