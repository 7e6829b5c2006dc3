// CommitQueue: accepts transactions against the tip, numbers them, and gathers what waits into one batch.
//
// The tip of a key is its newest accepted version: the one that waits here, or else the published one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "storage/key_index.h"
#include "storage/store.h"

namespace kubemu::storage {

// A transaction on its way to the disk.
struct Accepted {
    std::vector<Event> events;
    Completion done;
    std::size_t bytes = 0;
};

// Gives each text room for its revision's digits, so that `accept` need not allocate under the mutex.
// Throws std::out_of_range when revision_at is outside of a text: that is a bug of the caller.
void make_room_for_revisions(Transaction& transaction);

// Not synchronised: its owner's mutex protects it and the indexes.
class CommitQueue {
  public:
    CommitQueue(const KeyIndexes& published, Revision newest) : published_(published), next_(newest + 1) {}

    // All drafts or none. A draft sees the drafts before it. Errors: already_exists, not_found, conflict.
    StoreResult<std::vector<RecordPtr>> accept(Transaction transaction, Completion done);
    RecordPtr tip(std::string_view resource, std::string_view key) const;

    bool empty() const { return waiting_.empty(); }
    // The oldest transactions, within the limits of a batch; at least one when there is any.
    std::vector<Accepted> take_batch();
    // The record is published: from now on the index answers for it.
    void settle(const RecordPtr& record);
    // After a failure: everything that waits, and no tip but the published ones.
    std::vector<Accepted> give_up();

  private:
    struct Name {
        std::string_view resource;
        std::string_view key;
    };
    static Name name_of(const RecordPtr& record) { return {record->resource, record->key}; }
    static Name name_of(const Name& name) { return name; }
    struct Hash {
        using is_transparent = void;
        template <class T>
        std::size_t operator()(const T& value) const {
            const Name name = name_of(value);
            return std::hash<std::string_view>()(name.key) * 31 +
                   std::hash<std::string_view>()(name.resource);
        }
    };
    struct Equal {
        using is_transparent = void;
        template <class A, class B>
        bool operator()(const A& a, const B& b) const {
            const Name left = name_of(a);
            const Name right = name_of(b);
            return left.key == right.key && left.resource == right.resource;
        }
    };
    // Returns what was pending for the key before.
    RecordPtr set_pending(const RecordPtr& record);

    const KeyIndexes& published_;
    std::deque<Accepted> waiting_;
    std::unordered_set<RecordPtr, Hash, Equal>
        pending_;  // newest accepted, not yet published version of each key
    Revision next_;
};

}  // namespace kubemu::storage
