// PodClaims: which pods use which PersistentVolumeClaims, kept from the pods' changes.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/client.h"
#include "api/informer.h"
#include "api/kinds/views.h"

namespace kubemu::controllers {

class PodClaims {
  public:
    PodClaims(api::Client& client, api::Informer& pods) : client_(client), pods_(pods) {}

    // Keys of the claims that the pod uses or used.
    std::vector<std::string> observe(const api::Informer::Change& change);
    // The pods that use the claim ("namespace/name") and have not ended.
    std::vector<storage::RecordPtr> users(std::string_view claim_key) const;

  private:
    api::Client& client_;
    api::Informer& pods_;
    std::unordered_map<std::string, std::vector<std::string>> claims_of_;      // by pod uid; volumes never change
    std::map<std::string, std::set<std::string>, std::less<>> pods_by_claim_;  // pod keys
};

}  // namespace kubemu::controllers
