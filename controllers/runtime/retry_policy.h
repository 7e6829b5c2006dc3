// RetryPolicy: how soon a controller tries again what failed. The numbers of every controller are in retry_policy.cpp.
#pragma once

#include <chrono>
#include <string_view>

#include "storage/base/clock.h"

namespace kubemu::controllers {

// As client-go's default (workqueue.DefaultTypedControllerRateLimiter), where nothing else is said.
struct RetryPolicy {
    Duration first = std::chrono::milliseconds(5);  // after the first failure; doubled by each further one
    Duration longest = std::chrono::seconds(1000);
    int retries_max = 0;     // so many retries, then the key waits for the next change of its object; 0: without end
    double per_second = 10;  // retries of all keys together, beyond a burst; 0: without limit
    double burst = 100;
};

// The policy of the controller of this name, as in kube-controller-manager's --controllers.
RetryPolicy retry_policy(std::string_view controller);

}  // namespace kubemu::controllers
