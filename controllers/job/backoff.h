// How long a Job waits before it replaces a pod that failed: 10 s, doubled by each further failure, at most 10 min
// (pkg/controller/job/backoff_utils.go).
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "api/values/object.h"
#include "storage/base/clock.h"

namespace kubemu::controllers {

// When a pod ended: its last container's end; without one when it stopped being ready, was deleted or was made.
Time finished_at(const api::Json& pod);
// What is left of the wait after so many failures in a row, the last of them at `last`; zero when it is over.
Duration backoff_left(std::int64_t failures, Time last, Time now);

// Failures in a row of each Job since its last success. In memory alone, as in kube-controller-manager: after a
// restart the first replacement does not wait.
class JobBackoff {
  public:
    // Counts pods that have ended since the last call; the times are those of their ends.
    void record(const std::string& job_uid, std::vector<Time> succeeded, std::vector<Time> failed);
    Duration left(const std::string& job_uid, Time now) const;
    void forget(const std::string& job_uid) { by_uid_.erase(job_uid); }

  private:
    struct Entry {
        std::int64_t failures = 0;
        Time last{};
    };
    std::unordered_map<std::string, Entry> by_uid_;
};

}  // namespace kubemu::controllers
