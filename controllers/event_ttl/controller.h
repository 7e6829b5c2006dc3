// Event TTL: Events go an hour after they were last written (kube-apiserver --event-ttl, whose default that is). There
// they hang on etcd leases, one for all that is written within a minute, so they go up to a minute late, and stay for
// another hour after a restart; it is the same here.
#pragma once

#include <deque>

#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

class EventTtlController final : public Controller {
  public:
    explicit EventTtlController(Manager& manager);
    void start() override;
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    void look();
    void remove_until(storage::Revision revision);

    // What the store's revision was at the end of each minute of the last hour, so that nothing needs to be known of
    // each Event.
    struct Mark {
        Time time{};
        storage::Revision revision = 0;
    };
    std::deque<Mark> marks_;
};

}  // namespace kubemu::controllers
