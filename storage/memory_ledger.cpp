// A queue of records.
#include "storage/memory_ledger.h"

#include <algorithm>
#include <iterator>

#include "storage/base/limits.h"

namespace kubemu::storage {
namespace {

// A replay looks at no more records than this at a time, so that a rare resource does not hold up the committer.
constexpr std::size_t replay_records_max = 10'000;

bool wanted(const Record& record, std::string_view resource, std::string_view prefix) {
    return record.resource == resource && std::string_view(record.key).substr(0, prefix.size()) == prefix;
}

bool is(const Record& record, std::string_view resource, std::string_view key) {
    return record.key == key && record.resource == resource;
}

constexpr auto earlier = [](const RecordPtr& record, Revision revision) { return record->revision < revision; };

}  // namespace

StoreResult<bool> MemoryLedger::write(const std::vector<Accepted>& batch, const std::optional<TimeMark>&) {
    Lock lock(mutex_);
    for (const Accepted& accepted : batch) {
        for (const Event& event : accepted.events) queue_.push_back(event.record);
    }
    return true;
}

std::function<StoreResult<bool>()> MemoryLedger::compaction(Revision revision) {
    return [this, revision]() -> StoreResult<bool> { return forget_slice(revision); };
}

bool MemoryLedger::forget_slice(Revision revision) {
    Records gone;  // destroyed without the lock
    Lock lock(mutex_);
    const auto rows = std::min<std::ptrdiff_t>(std::ptrdiff_t(queue_.size()), limits::compaction_slice_rows);
    const auto end = std::lower_bound(queue_.begin(), queue_.begin() + rows, revision + 1, earlier);
    std::vector<Revision> forgotten;
    for (auto row = queue_.begin(); row != end; ++row) {
        if ((*row)->previous_revision > 0) forgotten.push_back((*row)->previous_revision);
        if ((*row)->deleted) forgotten.push_back((*row)->revision);
    }
    std::sort(forgotten.begin(), forgotten.end());
    before_.insert(before_.end(), std::move_iterator(queue_.begin()), std::move_iterator(end));
    queue_.erase(queue_.begin(), end);
    // Both are in the order of revisions, so that one walk tells them apart.
    auto next = forgotten.begin();
    const auto goes = [&](const RecordPtr& record) {
        while (next != forgotten.end() && *next < record->revision) ++next;
        return next != forgotten.end() && *next == record->revision;
    };
    auto kept = before_.begin();
    for (auto record = before_.begin(); record != before_.end(); ++record) {
        if (goes(*record)) {
            gone.push_back(std::move(*record));
        } else {
            if (kept != record) *kept = std::move(*record);
            ++kept;
        }
    }
    before_.erase(kept, before_.end());
    if (before_.capacity() > 2 * before_.size() + limits::compaction_slice_rows) before_.shrink_to_fit();
    return queue_.empty() || queue_.front()->revision > revision;
}

StoreResult<bool> MemoryLedger::set_meta(std::string_view name, std::string_view value) {
    Lock lock(mutex_);
    meta_.insert_or_assign(std::string(name), std::string(value));
    return true;
}

StoreResult<std::optional<std::string>> MemoryLedger::meta(std::string_view name) const {
    Lock lock(mutex_);
    const auto found = meta_.find(name);
    return found == meta_.end() ? std::optional<std::string>() : found->second;
}

RecordPtr MemoryLedger::at(Revision revision) const {
    if (!queue_.empty() && revision >= queue_.front()->revision) {
        const auto place = static_cast<std::size_t>(revision - queue_.front()->revision);
        return place < queue_.size() ? queue_[place] : nullptr;
    }
    const auto found = std::lower_bound(before_.begin(), before_.end(), revision, earlier);
    return found != before_.end() && (*found)->revision == revision ? *found : nullptr;
}

StoreResult<Page> MemoryLedger::list(const Store::PageQuery& query) const {
    Page page;
    page.revision = query.revision;
    Lock lock(mutex_);
    std::map<std::string_view, const RecordPtr*> newest;  // the keys are the records' own
    const auto see = [&](const RecordPtr& record) {
        if (wanted(*record, query.resource, query.prefix) && record->key > query.after) newest.insert_or_assign(record->key, &record);
    };
    const auto end = std::lower_bound(before_.begin(), before_.end(), query.revision + 1, earlier);
    std::for_each(before_.begin(), end, see);
    std::for_each(queue_.begin(), std::lower_bound(queue_.begin(), queue_.end(), query.revision + 1, earlier), see);
    for (const auto& [key, record] : newest) {
        if ((*record)->deleted) continue;
        if (query.limit != 0 && page.records.size() == query.limit) {
            page.more = true;
            ++page.remaining;
        } else {
            page.records.push_back(*record);
        }
    }
    return page;
}

StoreResult<RecordPtr> MemoryLedger::get(std::string_view resource, std::string_view key, Revision revision) const {
    Lock lock(mutex_);
    const auto that = [&](const RecordPtr& record) { return is(*record, resource, key); };
    const auto rend_of = [&](const auto& records) {
        return std::make_reverse_iterator(std::lower_bound(records.begin(), records.end(), revision + 1, earlier));
    };
    if (const auto found = std::find_if(rend_of(queue_), queue_.rend(), that); found != queue_.rend()) {
        return (*found)->deleted ? nullptr : *found;
    }
    const auto found = std::find_if(rend_of(before_), before_.rend(), that);
    return found == before_.rend() || (*found)->deleted ? nullptr : *found;
}

StoreResult<EventSource::Part> MemoryLedger::replay(const EventSource::Query& query, Revision until) const {
    EventSource::Part part;
    part.reached = until;
    Lock lock(mutex_);
    const auto end = std::lower_bound(queue_.begin(), queue_.end(), until + 1, earlier);
    std::size_t looked = 0;
    for (auto at_row = std::lower_bound(queue_.begin(), end, query.after + 1, earlier); at_row != end; ++at_row) {
        const RecordPtr& record = *at_row;
        if (looked++ == replay_records_max) {
            part.reached = record->revision - 1;
            break;
        }
        if (!wanted(*record, query.resource, query.prefix)) continue;
        if (part.events.size() == query.events_max) {
            part.reached = part.events.back().record->revision;
            break;
        }
        part.events.push_back({record, record->previous_revision > 0 ? at(record->previous_revision) : nullptr});
    }
    return part;
}

std::size_t MemoryLedger::size() const {
    Lock lock(mutex_);
    return before_.size() + queue_.size();
}

}  // namespace kubemu::storage
