// DefaultSelectors: which pods a pod without spread constraints of its own is spread from: those that its services and
// its controller select (pkg/scheduler/framework/plugins/helper/spread.go).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "api/kinds/views.h"
#include "api/selector/label.h"
#include "controllers/runtime/manager.h"

namespace kubemu::controllers::scheduler {

class DefaultSelectors {
  public:
    DefaultSelectors(Manager& manager, const api::Client& reader);

    // Empty when nothing selects the pod.
    api::LabelSelector of(const api::PodView& pod);

  private:
    struct Service {
        api::Labels labels;
        api::LabelSelector selector;
    };
    struct Owner {
        std::int64_t generation = 0;
        std::shared_ptr<const api::Json> selector;
    };
    // Null when no controller that counts has the pod.
    std::shared_ptr<const api::Json> selector_of(const api::PodView& pod);

    Manager& manager_;
    const api::Client& reader_;
    std::map<std::string, std::map<std::string, Service>, std::less<>> services_;  // by namespace and key
    std::unordered_map<std::string, Owner> owners_;  // by uid: the selector as a LabelSelector object
};

}  // namespace kubemu::controllers::scheduler
