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

// Failures in a row of a Job since its last success.
struct Failures {
    std::int64_t count = 0;
    Time last{};

    // With pods that have ended since; the times are those of their ends.
    Failures after(const std::vector<Time>& succeeded, const std::vector<Time>& failed) const;
    Duration wait_left(Time now) const { return backoff_left(count, last, now); }
};

// Those of each Job. In memory alone, as in kube-controller-manager: after a restart the first replacement does not wait.
class JobBackoff {
  public:
    Failures of(const std::string& job_uid) const;
    // Once the status that counts them is written: what is not written is counted again.
    void keep(const std::string& job_uid, const Failures& failures);
    void forget(const std::string& job_uid) { by_uid_.erase(job_uid); }

  private:
    std::unordered_map<std::string, Failures> by_uid_;
};

}  // namespace kubemu::controllers
