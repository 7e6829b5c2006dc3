// Pods whose devices have a NoExecute taint are deleted, at once or when they no longer tolerate it
// (pkg/controller/devicetainteviction).
//
// What a claim tolerates stands with the devices that it was given. A pod uses a claim when it is reserved for it.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

class DeviceTaintEvictionController final : public Controller {
  public:
    explicit DeviceTaintEvictionController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    void look_at_all();
    // When the first of its devices is no longer tolerated; nothing when all are for ever.
    std::optional<Time> eviction_time(const api::Json& pod) const;
    std::optional<Time> eviction_time_of_claim(const api::Json& claim) const;
    api::Json taints_of(const api::Json& result) const;
    api::ApiResult<Requeue> evict(const storage::Record& pod);

    const api::Client& reader_;
    api::Informer& pods_;
    api::Informer& claims_;
    api::Informer& slices_;
    std::map<std::string, std::string> users_;     // uids of pods with claims, by key
    std::map<std::string, std::string> to_evict_;  // uids of pods that are to be deleted later, by key
};

}  // namespace kubemu::controllers
