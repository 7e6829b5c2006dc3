// Sorted chunks, copied on write.
#include "storage/key_index.h"

#include <algorithm>

namespace kubemu::storage {

std::string prefix_end(std::string_view prefix) {
    std::string end(prefix);
    while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xff) end.pop_back();
    if (!end.empty()) end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
    return end;
}

std::vector<RecordPtr> KeyRange::records(std::size_t limit) const {
    std::size_t left = limit == 0 ? size_ : std::min(limit, size_);
    std::vector<RecordPtr> records;
    records.reserve(left);
    std::size_t offset = first_;
    for (const auto& chunk : chunks_) {
        if (left == 0) break;
        const std::size_t take = std::min(left, chunk->size() - offset);
        const auto from = chunk->begin() + static_cast<std::ptrdiff_t>(offset);
        records.insert(records.end(), from, from + static_cast<std::ptrdiff_t>(take));
        left -= take;
        offset = 0;
    }
    return records;
}

KeyIndex::Position KeyIndex::seek(std::string_view key, bool behind) const {
    const auto below = [key, behind](const RecordPtr& record) {
        return behind ? record->key <= key : record->key < key;
    };
    // The first chunk whose last record is not below the key holds the answer.
    const auto chunk = std::partition_point(chunks_.begin(), chunks_.end(), [&below](const Chunk& chunk) {
        return below(chunk.records->back());
    });
    if (chunk == chunks_.end()) return {chunks_.size(), 0};
    const auto at = std::partition_point(chunk->records->begin(), chunk->records->end(), below);
    return {static_cast<std::size_t>(chunk - chunks_.begin()),
            static_cast<std::size_t>(at - chunk->records->begin())};
}

KeyIndex::Position KeyIndex::prefix_stop(std::string_view prefix) const {
    const std::string end = prefix_end(prefix);
    return end.empty() ? Position{chunks_.size(), 0} : seek(end);
}

std::size_t KeyIndex::distance(Position from, Position to) const {
    if (from.chunk > to.chunk || (from.chunk == to.chunk && from.offset >= to.offset)) return 0;
    std::size_t count = to.offset;
    for (std::size_t i = from.chunk; i < to.chunk; ++i) count += chunks_[i].records->size();
    return count - from.offset;
}

std::vector<RecordPtr>& KeyIndex::change(std::size_t chunk) {
    Chunk& slot = chunks_[chunk];
    if (slot.shared) {
        auto copy = std::make_shared<std::vector<RecordPtr>>();
        copy->reserve(chunk_records_max);
        *copy = *slot.records;
        slot.records = std::move(copy);
        slot.shared = false;
    }
    return *slot.records;
}

RecordPtr KeyIndex::find(std::string_view key) const {
    const Position at = seek(key);
    if (at.chunk == chunks_.size()) return nullptr;
    const RecordPtr& record = (*chunks_[at.chunk].records)[at.offset];
    return record->key == key ? record : nullptr;
}

void KeyIndex::put(RecordPtr record) {
    Position at = seek(record->key);
    if (at.chunk < chunks_.size() && (*chunks_[at.chunk].records)[at.offset]->key == record->key) {
        change(at.chunk)[at.offset] = std::move(record);
        return;
    }
    ++size_;
    if (at.chunk == chunks_.size()) {
        // Behind all others: keys that arrive in order fill their chunks to the brim.
        if (chunks_.empty() || chunks_.back().records->size() == chunk_records_max) {
            chunks_.push_back({std::make_shared<std::vector<RecordPtr>>(), false});
        }
        change(chunks_.size() - 1).push_back(std::move(record));
        return;
    }
    std::vector<RecordPtr>* records = &change(at.chunk);
    if (records->size() == chunk_records_max) {
        const auto middle = records->begin() + chunk_records_max / 2;
        auto upper = std::make_shared<std::vector<RecordPtr>>(std::make_move_iterator(middle),
                                                              std::make_move_iterator(records->end()));
        records->erase(middle, records->end());
        chunks_.insert(chunks_.begin() + static_cast<std::ptrdiff_t>(at.chunk) + 1,
                       {std::move(upper), false});
        if (at.offset > chunk_records_max / 2) {
            at = {at.chunk + 1, at.offset - chunk_records_max / 2};
        }
        records = chunks_[at.chunk].records.get();
    }
    records->insert(records->begin() + static_cast<std::ptrdiff_t>(at.offset), std::move(record));
}

bool KeyIndex::erase(std::string_view key) {
    const Position at = seek(key);
    if (at.chunk == chunks_.size() || (*chunks_[at.chunk].records)[at.offset]->key != key) return false;
    --size_;
    if (chunks_[at.chunk].records->size() == 1) {
        chunks_.erase(chunks_.begin() + static_cast<std::ptrdiff_t>(at.chunk));
        return true;
    }
    std::vector<RecordPtr>& records = change(at.chunk);
    records.erase(records.begin() + static_cast<std::ptrdiff_t>(at.offset));
    // Neighbours that fit into half a chunk become one, so that deletions do not leave a trail of tiny
    // chunks.
    if (at.chunk + 1 < chunks_.size() &&
        records.size() + chunks_[at.chunk + 1].records->size() <= chunk_records_max / 2) {
        const auto& next = *chunks_[at.chunk + 1].records;
        records.insert(records.end(), next.begin(), next.end());
        chunks_.erase(chunks_.begin() + static_cast<std::ptrdiff_t>(at.chunk) + 1);
    }
    return true;
}

std::size_t KeyIndex::count(std::string_view prefix) const {
    if (prefix.empty()) return size_;
    return distance(seek(prefix), prefix_stop(prefix));
}

KeyRange KeyIndex::range(std::string_view prefix, std::string_view after) {
    // A key behind `after` but before the prefix would not belong to the list.
    const Position from = !after.empty() && after >= prefix ? seek(after, true) : seek(prefix);
    const Position to = prefix_stop(prefix);
    KeyRange range;
    range.size_ = distance(from, to);
    if (range.size_ == 0) return range;
    range.first_ = from.offset;
    const std::size_t last = to.offset == 0 ? to.chunk : to.chunk + 1;
    range.chunks_.reserve(last - from.chunk);
    for (std::size_t i = from.chunk; i < last; ++i) {
        chunks_[i].shared = true;
        range.chunks_.push_back(chunks_[i].records);
    }
    return range;
}

const KeyIndex* KeyIndexes::find(std::string_view resource) const {
    const auto found = indexes_.find(resource);
    return found == indexes_.end() ? nullptr : &found->second;
}

KeyIndex* KeyIndexes::find(std::string_view resource) {
    const auto found = indexes_.find(resource);
    return found == indexes_.end() ? nullptr : &found->second;
}

KeyIndex& KeyIndexes::of(std::string_view resource) {
    auto found = indexes_.find(resource);
    if (found == indexes_.end()) found = indexes_.try_emplace(std::string(resource)).first;
    return found->second;
}

RecordPtr KeyIndexes::find(std::string_view resource, std::string_view key) const {
    const KeyIndex* index = find(resource);
    return index == nullptr ? nullptr : index->find(key);
}

}  // namespace kubemu::storage
