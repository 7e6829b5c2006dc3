// Worded as k8s.io/apiserver/pkg/registry/generic/registry and the etcd client word them.
#include "api/storage_status.h"

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

}  // namespace kubemu::api
