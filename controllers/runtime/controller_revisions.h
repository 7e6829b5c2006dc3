// ControllerRevisions: the templates that a StatefulSet or DaemonSet has had (pkg/controller/history).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "api/client.h"
#include "api/informer.h"
#include "api/kinds/views.h"
#include "api/schema/kind.h"
#include "api/selector/label.h"

namespace kubemu::controllers {

struct RevisionState {
    std::shared_ptr<const api::Json> document;
    std::string name;
    std::string hash;  // value of the hash label
    std::int64_t number = 0;
    // data.spec.template without the patch directive.
    api::Json pod_template() const;
};

class RevisionHistory {
  public:
    struct Options {
        api::Client& client;
        const api::KindSpec& revisions;
        const api::KindSpec& owner_kind;
        api::Informer& informer;
        std::string_view hash_label;  // "controller.kubernetes.io/hash", "controller-revision-hash"
        // A DaemonSet's names have the hash of the pod template, as a ReplicaSet's has; a revision without the hash label gets
        // its own name there; and what is stored in other words, as by an older release, is another revision.
        bool of_daemons = false;
    };
    explicit RevisionHistory(Options options) : options_(options) {}

    // The owner's revisions, lowest number first; orphans that match are adopted.
    api::ApiResult<std::vector<RevisionState>> list(const storage::Record& owner, const api::LabelSelector& selector) const;
    // The revision of the owner's current spec.template: the one there is, raised above all others when it comes back
    // (a rollback), or a new one. Data counts as it is stored; only the last revision of a StatefulSet may say the same in
    // other words. `history` is changed accordingly and `collisions` counts names that were taken.
    api::ApiResult<RevisionState> current(const storage::Record& owner, const api::Json& object,
                                          std::vector<RevisionState>& history, std::int64_t& collisions) const;
    // Others with the data of `current` (dedupCurHistories).
    std::vector<RevisionState> duplicates(const RevisionState& current, const std::vector<RevisionState>& history) const;
    // Removes the oldest beyond `limit` of those that are not in use (by name or hash).
    api::ApiResult<bool> truncate(const storage::Record& owner, const std::vector<RevisionState>& history,
                                  const std::unordered_set<std::string>& in_use, std::int64_t limit) const;

  private:
    RevisionState read(const storage::Record& record) const;
    api::ApiResult<bool> label(const api::ObjectView& owner, std::vector<RevisionState>& history) const;
    api::ApiResult<RevisionState> create(const storage::Record& owner, const api::Json& object, const api::Json& data,
                                         std::vector<RevisionState>& history, std::int64_t& collisions) const;
    Options options_;
};

}  // namespace kubemu::controllers
