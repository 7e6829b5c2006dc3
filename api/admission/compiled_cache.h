// CompiledCache: what was compiled of stored configuration (the expressions of policies and match conditions), kept until
// the record changes.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "storage/base/limits.h"
#include "storage/base/mutex.h"
#include "storage/record.h"

namespace kubemu::api {

// Thread-safe.
class CompiledCache {
  public:
    // What `make` made of this version of the record, now or earlier.
    template <class T, class Make>
    std::shared_ptr<const T> of(const storage::Record& record, const Make& make) {
        const std::string key = record.resource + "/" + record.key;
        {
            Lock lock(mutex_);
            const auto at = entries_.find(key);
            if (at != entries_.end() && at->second.first == record.revision) {
                return std::static_pointer_cast<const T>(at->second.second);
            }
        }
        std::shared_ptr<const T> made = make();
        Lock lock(mutex_);
        if (entries_.size() >= limits::compiled_policies_max) entries_.clear();
        entries_[key] = {record.revision, made};
        return made;
    }

  private:
    Mutex mutex_;
    std::map<std::string, std::pair<storage::Revision, std::shared_ptr<const void>>> entries_ KUBEMU_GUARDED_BY(mutex_);
};

}  // namespace kubemu::api
