// DocumentCache: the decoded documents of the records that were read last.
//
// A step of a cluster reads the same few objects again and again: a controller looks at a Job, looks at it once more
// with its pods, and writes its status; and then it looks at what it has written. Decoding takes six times as long as
// copying. Documents are large, so that a few are kept, and none while nothing happens.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "api/schema/kind.h"
#include "api/values/object.h"
#include "storage/base/mutex.h"
#include "storage/record.h"

namespace kubemu::api {

// A document that discard() destroys.
std::shared_ptr<Json> dropped_quickly(Json document);

// Thread-safe.
class DocumentCache {
  public:
    using Document = std::shared_ptr<const Json>;

    // Null when it is not kept.
    Document find(const storage::Record& record);
    // Keeps the document of a record, which nobody changes from now on; what was read longest ago goes.
    void add(const storage::Record& record, std::shared_ptr<Json> document);
    // Keeps what a record was made of: `form` as it was encoded, in the version that is stored. It is brought into the
    // form in which it would be read when somebody asks for it. Not for custom resources.
    void add_written(const storage::Record& record, Json form, const KindSpec& stored);
    // For whoever replaces the record: its document, which is not kept any longer.
    std::optional<Json> take(const storage::Record& record);
    void clear();

  private:
    struct Entry {
        storage::Revision revision;
        std::shared_ptr<const storage::View> view;
        std::size_t bytes;  // of the text
        std::shared_ptr<Json> document;
        const KindSpec* written = nullptr;  // of what is still as it was encoded
    };
    using Entries = std::vector<Entry>;

    Entries::iterator place_of(const storage::Record& record) KUBEMU_REQUIRES(mutex_);
    void add(const storage::Record& record, std::shared_ptr<Json> document, const KindSpec* written);
    static void make_readable(Entry& entry);

    Mutex mutex_;
    Entries entries_ KUBEMU_GUARDED_BY(mutex_);  // last read last
    std::size_t bytes_ KUBEMU_GUARDED_BY(mutex_) = 0;
};

}  // namespace kubemu::api
