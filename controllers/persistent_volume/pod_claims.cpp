// A pod's volumes are read once; most pods name no claim, which their text tells: nothing is kept of them.
#include "controllers/persistent_volume/pod_claims.h"

#include <nlohmann/json.hpp>

#include "api/registry.h"
#include "storage/base/text_search.h"

namespace kubemu::controllers {

std::vector<std::string> PodClaims::observe(const api::Informer::Change& change) {
    const storage::Record& pod = change.after ? *change.after : *change.before;
    const api::ObjectView& view = api::view_of(pod);
    auto known = claims_of_.find(view.uid);
    if (known == claims_of_.end()) {
        // A pod's volumes never change: what it did not name at first it does not name now.
        if (!change.after || change.before) return {};
        const Bytes text = pod.bytes.get();
        const bool names_any = contains_text(*text, "\"persistentVolumeClaim\"") || contains_text(*text, "\"ephemeral\"");
        if (!names_any) return {};
        std::vector<std::string> claims;
        const api::Json document = client_.document(pod);
        for (const api::Json& volume : api::array_at(document, {"spec", "volumes"})) {
            std::string name(api::string_at(volume, {"persistentVolumeClaim", "claimName"}));
            if (api::find(volume, "ephemeral") != nullptr) name = view.name + "-" + std::string(api::string_at(volume, {"name"}));
            if (!name.empty()) claims.push_back(api::object_key(view.namespace_name, name));
        }
        known = claims_of_.emplace(view.uid, std::move(claims)).first;
        for (const std::string& claim : known->second) pods_by_claim_[claim].insert(pod.key);
    }
    const std::vector<std::string> claims = known->second;
    if (change.after) return claims;
    for (const std::string& claim : claims) {
        const auto users = pods_by_claim_.find(claim);
        if (users == pods_by_claim_.end()) continue;
        users->second.erase(pod.key);
        if (users->second.empty()) pods_by_claim_.erase(users);
    }
    claims_of_.erase(known);
    return claims;
}

std::vector<storage::RecordPtr> PodClaims::users(std::string_view claim_key) const {
    std::vector<storage::RecordPtr> users;
    const auto found = pods_by_claim_.find(claim_key);
    if (found == pods_by_claim_.end()) return users;
    for (const std::string& key : found->second) {
        storage::RecordPtr pod = pods_.get(key);
        if (pod && !api::pod_view_of(*pod).finished()) users.push_back(std::move(pod));
    }
    return users;
}

}  // namespace kubemu::controllers
