// Worded as k8s.io/apiserver/pkg/registry/generic/registry and the etcd client word them.
#include "api/storage_status.h"

#include "api/registry.h"

namespace kubemu::api {

Status storage_status(const storage::Error& error, const KindSpec& kind, std::string_view name) {
    using Code = storage::Error::Code;
    switch (error.code) {
        case Code::already_exists: return Status::already_exists(kind.group, kind.plural, name);
        case Code::not_found: return Status::not_found(kind.group, kind.plural, name);
        case Code::conflict: return Status::modified(kind.group, kind.plural, name);
        case Code::compacted: return Status::expired("The resourceVersion for the provided list is too old.");
        case Code::future_revision: return Status::plain_500("etcdserver: mvcc: required revision is a future revision");
        case Code::read_only:
        case Code::corrupt:
        case Code::newer_schema:
        case Code::locked:
        case Code::io: break;
    }
    return Status::internal(storage::to_string(error));
}

Status precondition_failed(const KindSpec& kind, std::string_view namespace_name, std::string_view name, std::string_view what,
                           std::string_view wanted, std::string_view found, bool dry_run) {
    // A dry run looks before the storage puts its prefix to the key.
    const std::string key = (dry_run ? "/" : "/registry/") + std::string(kind.plural) + "/" + object_key(namespace_name, name);
    const std::string precondition(what);
    return Status::conflict(kind.group, kind.plural, name,
                            "StorageError: invalid object, Code: 4, Key: " + key +
                                ", ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: " + precondition +
                                " in precondition: " + std::string(wanted) + ", " + precondition +
                                " in object meta: " + std::string(found));
}

}  // namespace kubemu::api
