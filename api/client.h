// Client: the registry without HTTP, for controllers.
//
// The same defaulting, admission, validation and conflicts as a request over HTTP. A call returns when the write is
// accepted, which is before it is durable: nothing is published before it is durable, so nobody can tell.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/request.h"
#include "api/schema/kind.h"
#include "api/values/object.h"
#include "api/values/status.h"
#include "storage/record.h"

namespace kubemu::api {

class Registry;

struct DeleteOptions {
    std::optional<std::int64_t> grace_period_seconds;
    std::string propagation_policy;  // "", Background, Foreground, Orphan
    std::string precondition_uid;
    std::string precondition_revision;
    bool dry_run = false;
};

// One thread at a time. Documents are in the version of the KindSpec given.
class Client {
  public:
    Client(Registry& registry, User user, std::string user_agent);

    // metadata.name or metadata.generateName must be set.
    ApiResult<storage::RecordPtr> create(const KindSpec& kind, std::string_view namespace_name, Json object);
    // metadata.resourceVersion in `object`, when there, is a precondition (409 Conflict otherwise).
    ApiResult<storage::RecordPtr> update(const KindSpec& kind, Json object, std::string_view subresource = {});
    // Reads the newest accepted version, calls `change`, writes what it left; repeats on conflict. `change` returns
    // false to leave things as they are; then, and when nothing differs, nothing is written and the current record
    // is returned.
    ApiResult<storage::RecordPtr> modify(const KindSpec& kind, std::string_view namespace_name, std::string_view name,
                                         std::string_view subresource, const std::function<bool(Json&)>& change);
    // Server-side apply with force, as `field_manager`; 404 when there is no such object.
    ApiResult<storage::RecordPtr> apply(const KindSpec& kind, std::string_view namespace_name, Json configuration,
                                        std::string_view field_manager, std::string_view subresource = {});
    // True when the object is gone, false when it waits for its grace period or its finalizers.
    ApiResult<bool> remove(const KindSpec& kind, std::string_view namespace_name, std::string_view name,
                           const DeleteOptions& options = {});
    // POST of a subresource: pods/binding, pods/eviction.
    ApiResult<Json> create_subresource(const KindSpec& kind, std::string_view namespace_name, std::string_view name,
                                       std::string_view subresource, Json body);
    // The newest accepted version; 404 when there is none.
    ApiResult<storage::RecordPtr> get(const KindSpec& kind, std::string_view namespace_name, std::string_view name) const;
    // Decodes a record into the version of `kind`.
    Json document(const storage::Record& record) const;
    // The same for readers who look at the object several times, or change it next: it is kept for a while.
    std::shared_ptr<const Json> read(const storage::Record& record) const;

    // The newest revision that this client wrote; 0 before the first.
    storage::Revision last_revision() const { return last_revision_; }

  private:
    Registry& registry_;
    User user_;
    std::string user_agent_;
    storage::Revision last_revision_ = 0;
};

}  // namespace kubemu::api
