// ConvertedRecords: custom resources in the versions that a conversion webhook made of them: what is read is converted once.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "api/schema/kind.h"
#include "api/values/object.h"
#include "storage/base/mutex.h"
#include "storage/record.h"

namespace kubemu::api {

// Thread-safe.
class ConvertedRecords {
  public:
    // Null when it is not known.
    std::shared_ptr<const Json> find(const storage::Record& record, const KindSpec& kind) const;
    void keep(const storage::Record& record, const KindSpec& kind, Json converted);

  private:
    mutable Mutex mutex_;
    std::map<std::string, std::shared_ptr<const Json>> documents_ KUBEMU_GUARDED_BY(mutex_);
};

}  // namespace kubemu::api
