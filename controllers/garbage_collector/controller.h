// Garbage collector: objects whose owners are all gone go too; foreground deletions wait for what blocks them; orphan
// deletions let their dependents live (kubernetes pkg/controller/garbagecollector).
#pragma once

#include <list>
#include <string>
#include <unordered_set>
#include <vector>

#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

// Keys are "resource:namespace/name". The graph is the informers' index by owner uid; nothing is kept beside it.
class GarbageCollectorController final : public Controller {
  public:
    explicit GarbageCollectorController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    struct Watched {
        const api::KindSpec* kind;
        api::Informer* informer;
    };
    struct Dependent {
        Watched watched;
        storage::RecordPtr record;
    };

    void watch(const api::KindSpec& kind);
    void look_again(const api::KindSpec& kind);
    void changed(const Watched& watched, const api::Informer::Change& change);
    void enqueue_waiting_owners(const api::ObjectView& view);
    api::ApiResult<bool> unblock_owners(const Watched& watched, const storage::Record& record);
    bool is_known(const api::OwnerReference& reference) const;
    bool in_wrong_namespace(const Watched& watched, const storage::Record& record, const api::OwnerReference& reference, bool tell);
    void enqueue_object(const Watched& watched, const storage::Record& record);
    void owner_went(const Dependent& dependent);
    std::vector<Dependent> dependents_of(const std::string& uid) const;
    // The owner that a reference means, or null when it is gone.
    storage::RecordPtr owner_of(const api::OwnerReference& reference, std::string_view namespace_name) const;
    api::ApiResult<Requeue> finish_foreground(const Watched& watched, const storage::Record& owner);
    api::ApiResult<Requeue> finish_orphan(const Watched& watched, const storage::Record& owner);
    api::ApiResult<bool> drop_finalizer(const Watched& watched, const storage::Record& record, std::string_view finalizer);
    api::ApiResult<bool> drop_references(const Watched& watched, const storage::Record& record, const std::vector<std::string>& uids);

    std::list<Watched> watched_;  // by reference in handlers
    // Objects that lost an owner, and those whose owner has been looked for.
    std::unordered_set<std::string> bereft_;
};

}  // namespace kubemu::controllers
