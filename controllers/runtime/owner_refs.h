// Who owns what: adoption and release of objects by selector (ControllerRefManager of kube-controller-manager), and
// the owner reference that a controller puts on what it makes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/client.h"
#include "api/kinds/views.h"
#include "api/schema/kind.h"
#include "api/selector/label.h"

namespace kubemu::controllers {

// {apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true} for the owner, whose kind is `kind`.
api::Json controller_reference(const api::KindSpec& kind, const api::ObjectView& owner);
// "apps/v1", "v1".
std::string api_version_of(const api::KindSpec& kind);
// Enough of an object to record an event about it: kind, apiVersion, name, namespace, uid, resourceVersion.
api::Json object_reference(const api::KindSpec& kind, const storage::Record& record);

// {apiVersion, kind, name, namespace, uid, resourceVersion}: a record as another object's field refers to it.
api::Json reference_to(const api::KindSpec& kind, const storage::Record& record);

// metadata.finalizers; the first two say whether they changed something.
bool add_finalizer(api::Json& object, std::string_view finalizer);
bool drop_finalizer(api::Json& object, std::string_view finalizer);
bool has_finalizer(const api::ObjectView& view, std::string_view finalizer);

// Claims objects for one owner.
struct Claimant {
    api::Client& client;
    const api::KindSpec& kind;        // of the owner
    const storage::Record& owner;
    const api::LabelSelector& selector;
    std::string_view finalizer = {};  // put on what is adopted, taken from what is released
};

// Of the candidates (all in the owner's namespace): those that the owner controls and that match; orphans that match
// are adopted, controlled ones that no longer match are released. An owner on its way out adopts nothing and
// releases nothing. The result holds the newest record of each, in the order of the candidates.
api::ApiResult<std::vector<storage::RecordPtr>> claim(const Claimant& claimant, const api::KindSpec& object_kind,
                                                      const std::vector<storage::RecordPtr>& candidates);

// spec.selector of objects, decoded once a generation. A ReplicationController's is a plain map.
class SelectorCache {
  public:
    explicit SelectorCache(api::Client& client, bool plain_map = false) : client_(client), plain_map_(plain_map) {}
    // Valid until the next call; who writes in between copies it.
    const api::LabelSelector& of(const storage::Record& record);
    void forget(const storage::Record& record);

  private:
    struct Entry {
        std::int64_t generation = 0;
        api::LabelSelector selector;
    };
    api::Client& client_;
    bool plain_map_;
    std::unordered_map<std::string, Entry> by_uid_;
};

}  // namespace kubemu::controllers
