// Taint eviction: pods leave a node with NoExecute taints that they do not tolerate, or once they have tolerated them
// long enough (pkg/controller/tainteviction).
#pragma once

#include <string>
#include <unordered_map>

#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

class TaintEvictionController final : public Controller {
  public:
    explicit TaintEvictionController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    struct Waiting {
        Time since{}, due{};
    };
    void node_changed(const api::Informer::Change& change);
    bool concerns(const api::Informer::Change& change);
    void cancel(const storage::Record& pod);
    api::ApiResult<Requeue> evict(const storage::Record& pod);

    api::Informer& nodes_;
    api::Informer& pods_;
    std::unordered_map<std::string, std::string> tainted_;   // NoExecute taints of a node, encoded, by its name
    std::unordered_map<std::string, Waiting> waiting_;       // by pod uid
};

}  // namespace kubemu::controllers
