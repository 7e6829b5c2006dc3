// Preconditions, revisions and batches.
#include "storage/commit_queue.h"

#include <charconv>
#include <optional>
#include <stdexcept>

#include "storage/base/limits.h"

namespace kubemu::storage {
namespace {

constexpr std::size_t revision_digits_max = 19;  // of a positive 64 bit number

std::optional<Error> violation(const Draft& draft, const RecordPtr& tip) {
    if (draft.precondition.kind == Precondition::Kind::absent) {
        if (tip) return Error{Error::Code::already_exists, draft.key, tip->revision, {}};
        return std::nullopt;
    }
    if (!tip) return Error{Error::Code::not_found, draft.key, 0, {}};
    if (draft.precondition.kind == Precondition::Kind::at_revision &&
        tip->revision != draft.precondition.revision) {
        return Error{Error::Code::conflict, draft.key, tip->revision, {}};
    }
    return std::nullopt;
}

RecordPtr finish(Draft draft, Revision revision, const RecordPtr& tip) {
    auto record = std::make_shared<Record>();
    record->resource = std::move(draft.resource);
    record->key = std::move(draft.key);
    record->revision = revision;
    record->create_revision = tip ? tip->create_revision : revision;
    record->previous_revision = tip ? tip->revision : 0;
    record->deleted = draft.deletes;
    if (draft.revision_at != std::string::npos) {
        char digits[revision_digits_max + 1];
        const auto end = std::to_chars(digits, digits + sizeof digits, revision).ptr;
        draft.text.insert(draft.revision_at, digits, static_cast<std::size_t>(end - digits));
    }
    record->bytes = make_bytes(std::move(draft.text));
    record->view = std::move(draft.view);
    return record;
}

}  // namespace

void make_room_for_revisions(Transaction& transaction) {
    for (Draft& draft : transaction.drafts) {
        if (draft.revision_at == std::string::npos) continue;
        if (draft.revision_at > draft.text.size())
            throw std::out_of_range("revision_at is outside of the text");
        // Too little room would mean a copy under the mutex, far too much would stay in memory with the
        // record.
        const std::size_t wanted = draft.text.size() + revision_digits_max;
        if (draft.text.capacity() >= wanted && draft.text.capacity() <= wanted + wanted / 8) continue;
        std::string text;
        text.reserve(wanted);
        text.append(draft.text);
        draft.text = std::move(text);
    }
}

StoreResult<std::vector<RecordPtr>> CommitQueue::accept(Transaction transaction, Completion done) {
    std::vector<RecordPtr> records;
    std::vector<RecordPtr> replaced;  // what to put back into pending_ when a later draft is refused
    Accepted accepted;
    records.reserve(transaction.drafts.size());
    replaced.reserve(transaction.drafts.size());
    accepted.events.reserve(transaction.drafts.size());
    const Revision first = next_;
    for (Draft& draft : transaction.drafts) {
        RecordPtr before = tip(draft.resource, draft.key);
        if (auto error = violation(draft, before)) {
            while (!records.empty()) {
                if (replaced.back()) {
                    set_pending(replaced.back());
                } else {
                    pending_.erase(pending_.find(records.back()));
                }
                records.pop_back();
                replaced.pop_back();
            }
            next_ = first;
            return std::move(*error);
        }
        RecordPtr record = finish(std::move(draft), next_++, before);
        accepted.bytes += record->bytes.get()->size();
        replaced.push_back(set_pending(record));
        accepted.events.push_back({record, std::move(before)});
        records.push_back(std::move(record));
    }
    accepted.done = std::move(done);
    waiting_.push_back(std::move(accepted));
    return records;
}

RecordPtr CommitQueue::set_pending(const RecordPtr& record) {
    const auto found = pending_.find(name_of(record));
    if (found == pending_.end()) {
        pending_.insert(record);
        return nullptr;
    }
    // The key's text belongs to the record, so the node takes over both; the hash stays what it was.
    auto node = pending_.extract(found);
    RecordPtr before = std::exchange(node.value(), record);
    pending_.insert(std::move(node));
    return before;
}

RecordPtr CommitQueue::tip(std::string_view resource, std::string_view key) const {
    if (!pending_.empty()) {
        const auto found = pending_.find(Name{resource, key});
        if (found != pending_.end()) return (*found)->deleted ? nullptr : *found;
    }
    return published_.find(resource, key);
}

std::vector<Accepted> CommitQueue::take_batch() {
    std::vector<Accepted> batch;
    std::size_t bytes = 0;
    while (!waiting_.empty() && batch.size() < limits::commit_batch_transactions_max &&
           (batch.empty() || bytes + waiting_.front().bytes <= limits::commit_batch_bytes_max)) {
        bytes += waiting_.front().bytes;
        batch.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    }
    return batch;
}

void CommitQueue::settle(const RecordPtr& record) {
    const auto found = pending_.find(record);
    if (found != pending_.end() && *found == record) pending_.erase(found);
}

std::vector<Accepted> CommitQueue::give_up() {
    std::vector<Accepted> all(std::make_move_iterator(waiting_.begin()),
                              std::make_move_iterator(waiting_.end()));
    waiting_.clear();
    pending_.clear();
    return all;
}

}  // namespace kubemu::storage
