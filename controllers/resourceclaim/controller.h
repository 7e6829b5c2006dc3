// ResourceClaims: those that pods get from templates, who may use them, and when they are free again
// (pkg/controller/resourceclaim).
//
// A pod whose spec names a ResourceClaimTemplate gets a claim of its own, which its status records. A claim is reserved
// for pods until they end; when the last one has, its devices are given back, and a claim that was made for a pod is
// deleted. Allocation is the scheduler's.
#pragma once

#include <map>
#include <set>
#include <string>

#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

class ResourceClaimController final : public Controller {
  public:
    explicit ResourceClaimController(Manager& manager);
    // "pod:namespace/name" or "claim:namespace/name".
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    // What a pod uses, by key.
    struct Uses {
        std::set<std::string> claims, templates;
    };
    // An entry of a pod's spec.resourceClaims and the claim that it stands for.
    struct Named {
        bool known = false;   // false: no claim has been made for it yet
        bool needed = true;   // false: none is
        bool of_pod = false;  // made from a template: it has to be the pod's own
        std::string name;
    };
    static Named named(const api::Json& pod, const api::Json& pod_claim);
    static bool is_reserved(const api::Json& claim, std::string_view pod_uid);

    void on_pod(const api::Informer::Change& change);
    void look_at_users(const std::map<std::string, std::set<std::string>>& users, const std::string& key);
    void look_at(const storage::Record& pod, const api::Json& document, bool deleted);
    bool needs_work(const api::Json& pod) const;

    api::ApiResult<Requeue> sync_pod(const std::string& key);
    // The name of a claim that was found or made, to be recorded; empty when there is nothing to record.
    api::ApiResult<std::string> handle(const storage::Record& pod, const api::Json& document,
                                       const api::Json& pod_claim);
    std::string orphan_of(const api::ObjectView& pod, std::string_view pod_claim) const;
    api::ApiResult<std::string> make_claim(const storage::Record& pod, const api::Json& pod_claim);
    api::ApiResult<bool> record(const api::ObjectView& pod, api::Json statuses);
    api::ApiResult<bool> reserve(const storage::Record& pod, const api::Json& document);

    api::ApiResult<Requeue> sync_claim(const std::string& key);
    bool may_use(const api::Json& consumer, std::string_view namespace_name) const;
    // With its last consumer a claim loses its devices and what keeps it from being deleted.
    api::ApiResult<bool> release(api::Json claim, api::Json remaining);
    api::ApiResult<bool> free_deleted(api::Json claim);
    api::ApiResult<bool> delete_unused(const storage::Record& claim);

    const api::Client& reader_;
    api::Informer& pods_;
    api::Informer& claims_;
    api::Informer& templates_;
    std::map<std::string, Uses> uses_;                             // of pods
    std::map<std::string, std::set<std::string>> users_;           // pods by claim
    std::map<std::string, std::set<std::string>> template_users_;  // pods by template
};

}  // namespace kubemu::controllers
