// DocumentCache: the decoded documents of the records that were read last.
//
// A step of a cluster reads the same few objects again and again: a controller looks at a Job, looks at it once more
// with its pods, and writes its status. Decoding takes six times as long as copying. Documents are large, so that a few
// are kept, and none while nothing happens.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "api/values/object.h"
#include "storage/base/mutex.h"
#include "storage/record.h"

namespace kubemu::api {

// Thread-safe.
class DocumentCache {
  public:
    using Document = std::shared_ptr<const Json>;

    // Null when it is not kept.
    Document find(const storage::Record& record);
    // Keeps the document of a record, which nobody changes from now on; what was read longest ago goes.
    void add(const storage::Record& record, std::shared_ptr<Json> document);
    // For whoever replaces the record: its document, which is not kept any longer.
    std::optional<Json> take(const storage::Record& record);
    void clear();

  private:
    struct Entry {
        storage::Revision revision;
        std::shared_ptr<const storage::View> view;
        std::size_t bytes;  // of the text
        std::shared_ptr<Json> document;
    };
    using Entries = std::vector<Entry>;

    Entries::iterator place_of(const storage::Record& record) KUBEMU_REQUIRES(mutex_);

    Mutex mutex_;
    Entries entries_ KUBEMU_GUARDED_BY(mutex_);  // last read last
    std::size_t bytes_ KUBEMU_GUARDED_BY(mutex_) = 0;
};

}  // namespace kubemu::api
