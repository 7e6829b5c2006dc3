// Undoing events over a list.
#include "storage/rewind.h"

#include <map>
#include <string_view>

namespace kubemu::storage {

std::vector<RecordPtr> rewind(const KeyRange& now, const std::vector<Event>& changes) {
    // What a key was before its first change; null when it did not exist.
    std::map<std::string_view, RecordPtr> before;
    for (const Event& event : changes) before.emplace(event.record->key, event.previous);
    std::vector<RecordPtr> records = now.records();
    if (before.empty()) return records;

    std::vector<RecordPtr> merged;
    merged.reserve(records.size() + before.size());
    auto undo = before.begin();
    const auto undo_until = [&](const RecordPtr* next) {
        for (; undo != before.end() && (next == nullptr || undo->first < (*next)->key); ++undo) {
            if (undo->second) merged.push_back(undo->second);
        }
    };
    for (RecordPtr& record : records) {
        undo_until(&record);
        if (undo != before.end() && undo->first == record->key) {
            if (undo->second) merged.push_back(undo->second);
            ++undo;
        } else {
            merged.push_back(std::move(record));
        }
    }
    undo_until(nullptr);
    return merged;
}

void fill_page(Page& page, std::vector<RecordPtr> records, std::size_t limit) {
    if (limit != 0 && records.size() > limit) {
        page.more = true;
        page.remaining = records.size() - limit;
        records.resize(limit);
    }
    page.records = std::move(records);
}

}  // namespace kubemu::storage
