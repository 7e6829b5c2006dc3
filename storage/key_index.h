// KeyIndex: the newest record of each key of one resource, ordered by key (bytewise).
//
// The records stand in sorted chunks of at most 256 pointers. A reader is handed the chunks themselves, so a
// list of 100,000 objects holds the store's mutex for some hundred pointer copies and not for 100,000; a
// chunk that a reader may still hold is copied before it is changed. An object costs the index 16 to 32
// bytes: its key is the record's own.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/record.h"

namespace kubemu::storage {

// The smallest text greater than every text with this prefix; empty when there is none.
std::string prefix_end(std::string_view prefix);

// A part of an index as it was at one moment. Immutable; read it without a lock.
class KeyRange {
  public:
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    // The first `limit` records; all with 0.
    std::vector<RecordPtr> records(std::size_t limit = 0) const;

  private:
    friend class KeyIndex;
    std::vector<std::shared_ptr<const std::vector<RecordPtr>>> chunks_;
    std::size_t first_ = 0;  // offset in the first chunk
    std::size_t size_ = 0;
};

// Not synchronised: its owner's mutex protects it.
class KeyIndex {
  public:
    static constexpr std::size_t chunk_records_max = 256;

    // Null when there is none.
    RecordPtr find(std::string_view key) const;
    // Adds the record or replaces the one with its key.
    void put(RecordPtr record);
    bool erase(std::string_view key);
    std::size_t size() const { return size_; }
    std::size_t count(std::string_view prefix) const;
    // The records whose keys start with `prefix` and come after `after` (from the first when it is empty).
    KeyRange range(std::string_view prefix, std::string_view after = {});

  private:
    struct Chunk {
        std::shared_ptr<std::vector<RecordPtr>> records;  // never empty
        bool shared = false;                              // a KeyRange may hold it: copy before a change
    };
    struct Position {
        std::size_t chunk = 0;
        std::size_t offset = 0;
    };
    // The first record whose key is not below `key` (or not at or below it, with `behind`).
    Position seek(std::string_view key, bool behind = false) const;
    Position prefix_stop(std::string_view prefix) const;
    std::size_t distance(Position from, Position to) const;
    std::vector<RecordPtr>& change(std::size_t chunk);

    std::vector<Chunk> chunks_;
    std::size_t size_ = 0;
};

// The indexes of all resources. Not synchronised either.
class KeyIndexes {
  public:
    // Null when nothing was ever written to the resource.
    const KeyIndex* find(std::string_view resource) const;
    KeyIndex* find(std::string_view resource);
    // Made when it is missing.
    KeyIndex& of(std::string_view resource);
    RecordPtr find(std::string_view resource, std::string_view key) const;

  private:
    std::map<std::string, KeyIndex, std::less<>> indexes_;
};

}  // namespace kubemu::storage
