// Which controllers retry at another pace than client-go's default, from the constructors of their queues and their
// handlers of errors in kubernetes/pkg/controller.
#include "controllers/runtime/retry_policy.h"

#include <array>

namespace kubemu::controllers {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Deviation {
    std::string_view controller;
    RetryPolicy policy;
};

constexpr RetryPolicy by_default{};

constexpr RetryPolicy paced(Duration first, Duration longest, int retries_max = 0) {
    return {first, longest, retries_max, by_default.per_second, by_default.burst};
}

// No bucket for all keys together.
constexpr RetryPolicy key_by_key(Duration first, Duration longest) {
    return {first, longest, 0, 0, 0};
}

constexpr RetryPolicy given_up_after(int retries_max) {
    return paced(by_default.first, by_default.longest, retries_max);
}

constexpr std::array<Deviation, 14> deviations{{
    {"apiservice-status", key_by_key(milliseconds(5), seconds(30))},
    {"csrapproving", paced(milliseconds(200), seconds(1000))},
    {"csrsigning", paced(milliseconds(200), seconds(1000))},
    {"deployment", given_up_after(15)},
    {"endpoint", given_up_after(15)},
    {"endpointslice", paced(seconds(1), seconds(1000), 15)},
    {"endpointslicemirroring", paced(seconds(1), seconds(100), 15)},
    {"horizontalpodautoscaling", key_by_key(seconds(15), seconds(15))},  // its sync period
    {"job", key_by_key(seconds(1), seconds(60))},
    {"kubelet", key_by_key(by_default.first, by_default.longest)},  // a queue for each pod
    {"namespace", paced(by_default.first, seconds(60))},
    {"scheduler", key_by_key(by_default.first, by_default.longest)},
    {"service-lb-controller", key_by_key(seconds(5), seconds(300))},
    {"serviceaccount-token", given_up_after(10)},
}};

}  // namespace

RetryPolicy retry_policy(std::string_view controller) {
    for (const Deviation& deviation : deviations) {
        if (deviation.controller == controller) return deviation.policy;
    }
    return {};
}

}  // namespace kubemu::controllers
