// What the tests of storage share: drafts in one line, events as text, a temporary directory, a wait on a
// condition.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "storage/base/mutex.h"
#include "storage/sqlite_store.h"
#include "storage/store.h"

namespace kubemu::storage {

class TemporaryDirectory {
  public:
    TemporaryDirectory() {
        std::string pattern = (std::filesystem::temp_directory_path() / "kubemu-storage-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
        path_ = pattern;
    }
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    std::string file(const std::string& name) const { return (path_ / name).string(); }

  private:
    std::filesystem::path path_;
};

// {"rv":"<revision>","text":"<text>"}
inline Draft draft(std::string resource, std::string key, Precondition precondition,
                   const std::string& text = {}) {
    Draft made;
    made.resource = std::move(resource);
    made.key = std::move(key);
    made.precondition = precondition;
    made.text = R"({"rv":"","text":")" + text + "\"}";
    made.revision_at = 7;
    return made;
}

inline Draft removal(std::string resource, std::string key,
                     Precondition precondition = Precondition::exists()) {
    Draft made = draft(std::move(resource), std::move(key), precondition, "gone");
    made.deletes = true;
    return made;
}

inline Transaction one(Draft draft) {
    Transaction transaction;
    transaction.drafts.push_back(std::move(draft));
    return transaction;
}

inline std::string expected_bytes(Revision revision, const std::string& text) {
    return R"({"rv":")" + std::to_string(revision) + R"(","text":")" + text + "\"}";
}

// A record for tests of parts that only look at names and revisions.
inline RecordPtr make_record(std::string resource, std::string key, Revision revision, bool deleted = false) {
    auto record = std::make_shared<Record>();
    record->resource = std::move(resource);
    record->key = std::move(key);
    record->revision = record->create_revision = revision;
    record->deleted = deleted;
    record->bytes = make_bytes("{}");
    return record;
}

// a@1, b@4
inline std::string text_of(const std::vector<RecordPtr>& records) {
    std::string text;
    for (const RecordPtr& record : records) {
        if (!text.empty()) text += ", ";
        text += record->key + '@' + std::to_string(record->revision);
    }
    return text;
}

// +a@1 (made), a@1>2 (changed), -a@2>3 (deleted)
inline std::string text_of(const Event& event) {
    const Record& record = *event.record;
    std::string text = record.deleted ? "-" : event.previous ? "" : "+";
    text += record.key + '@';
    if (event.previous) text += std::to_string(event.previous->revision) + '>';
    return text + std::to_string(record.revision);
}

inline std::string text_of(const std::vector<Event>& events) {
    std::string text;
    for (const Event& event : events) {
        if (!text.empty()) text += ", ";
        text += text_of(event);
    }
    return text;
}

// Everything the cursor has now, until it is idle or expired. Position and state of the last batch stay in
// `last`.
inline std::vector<Event> drain(WatchCursor& cursor, WatchCursor::Batch& last, std::size_t events_max = 64) {
    std::vector<Event> events;
    do {
        last = cursor.next(events_max);
        events.insert(events.end(), last.events.begin(), last.events.end());
    } while (last.state == WatchCursor::Batch::State::more);
    return events;
}
inline std::vector<Event> drain(WatchCursor& cursor) {
    WatchCursor::Batch last;
    return drain(cursor, last);
}

// Counts signals and lets a thread wait for them.
class Signals {
  public:
    void give() {
        Lock lock(mutex_);
        ++count_;
        changed_.notify_all();
    }
    void wait_for(std::size_t count) {
        Lock lock(mutex_);
        while (count_ < count) changed_.wait(mutex_);
    }
    std::size_t count() {
        Lock lock(mutex_);
        return count_;
    }

  private:
    Mutex mutex_;
    CondVar changed_;
    std::size_t count_ KUBEMU_GUARDED_BY(mutex_) = 0;
};

}  // namespace kubemu::storage
