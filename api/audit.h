// AuditLog: who asked for what, and what came of it: one line of JSON for each request, an Event of audit.k8s.io/v1 at
// level Metadata (k8s.io/apiserver/pkg/audit, https://kubernetes.io/docs/tasks/debug/debug-cluster/audit).
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "api/request.h"

namespace kubemu {
class Random;
}

namespace kubemu::api {

// What those that judged a request note for the log, by key.
using AuditNotes = std::map<std::string, std::string>;

// Notes something about the request that this thread handles; nothing when nobody reads it. What was noted first stays.
void audit_note(std::string_view key, std::string_view value);

// Thread-safe.
class AuditLog {
  public:
    // `sink` gets each line with its end; from any thread.
    AuditLog(const Clock& clock, Random& random, std::function<void(std::string)> sink);

    // `request` may have lost its body. `received` is when it came, by the clock of the constructor.
    void write(const Request& request, Time received, const Response& response, const AuditNotes& notes) const;
    Time now() const { return clock_.now(); }

  private:
    const Clock& clock_;
    Random& random_;
    std::function<void(std::string)> sink_;
};

}  // namespace kubemu::api
