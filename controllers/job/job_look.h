// JobLook: one look at a Job and its pods, from which a reconcile decides and which it brings forward.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/client.h"
#include "api/kinds/views.h"
#include "controllers/job/backoff.h"
#include "controllers/job/failure_policy.h"

namespace kubemu::controllers {

// On a pod that has not been counted yet; nothing that ends is lost while it is there.
inline constexpr const char* job_tracking_finalizer = "batch.kubernetes.io/job-tracking";

// How the Job ends. The types FailureTarget and SuccessCriteriaMet say so before the last pod is gone; Failed and
// Complete follow them.
struct JobEnd {
    std::string type, reason, message;

    bool succeeded() const { return type == "SuccessCriteriaMet" || type == "Complete"; }
};

struct JobLook {
    // `pods`: those that the job controls.
    JobLook(const api::Client& client, storage::RecordPtr record, std::vector<storage::RecordPtr> pods, Time now);

    storage::RecordPtr record;
    std::shared_ptr<const api::Json> job_document, stored_status;  // as they are stored
    std::shared_ptr<api::Json> status_document;
    const api::Json& job;
    api::Json& status;  // as it will be written
    std::vector<storage::RecordPtr> pods, active;
    std::int64_t terminating = 0, ready = 0;
    Time now{};

    bool indexed = false, suspended = false;
    bool per_index = false;             // spec.backoffLimitPerIndex is set
    // Fields that are younger than batch/v1 itself bring the way in which newer releases end a Job: first what was
    // decided, then, when all pods are gone, the end; and status.terminating. Without them a Job ends at once.
    bool interim_conditions = false;
    bool replaces_failed_only = false;  // a pod that is going is not replaced before it has ended
    std::optional<std::int64_t> completions;

    // Ended and tracked, but not yet in status.uncountedTerminatedPods.
    std::vector<storage::RecordPtr> newly_succeeded, newly_failed, newly_ignored;
    std::int64_t succeeded = 0, failed = 0;  // with what is not counted yet
    std::set<int> known_indexes;             // succeeded, as the status has them
    std::set<int> succeeded_indexes, failed_indexes;
    // By index: the failed pod that tells how often it has failed, until a successor carries the number on.
    std::map<int, storage::RecordPtr> last_failures;

    Failures failures;  // in a row, with what has ended since the last look

    std::optional<JobEnd> end;
    std::optional<Duration> requeue;
    // A pod is missing, and not replaced before a back-off is over. kube-controller-manager then says that none is active.
    bool waits_to_replace = false;

    const api::ObjectView& view() const { return api::view_of(*record); }
    std::int64_t spec(std::string_view member, std::int64_t fallback) const;
    // A failed pod, or one that is going and whose place is free already.
    bool is_failed(const api::PodView& pod) const;
    // -1: none, or one that the Job does not have.
    int index_of(const api::ObjectView& pod) const;
    const api::Json& document(const storage::Record& pod) const;
    FailureVerdict verdict(const storage::Record& pod) const { return judge_failure(job, document(pod)); }
    void requeue_in(Duration delay);
    void wait_to_replace(Duration left);

    bool has_condition(std::string_view type) const;  // with status True
    // Adds or changes a condition of status; a False one is not added. True when it changed.
    bool set_condition(std::string_view type, bool holds, std::string_view reason, std::string_view message);

  private:
    void count_pods();
    void count_indexes();
    bool in_status(const char* list, const std::string& uid) const;

    const api::Client& client_;
    mutable std::map<std::string, std::shared_ptr<const api::Json>> documents_;  // of pods, by uid
};

// How many failures the pods of an index have had before this one (annotations of the pod).
struct IndexFailures {
    std::int64_t counted = 0, ignored = 0;
};
IndexFailures index_failures(const api::Json& pod);

}  // namespace kubemu::controllers
