// A list short enough to be searched from end to end.
#include "api/document_cache.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "api/codec/stored_form.h"
#include "api/draft.h"
#include "api/values/discard.h"
#include "storage/base/limits.h"

namespace kubemu::api {

std::shared_ptr<Json> dropped_quickly(Json document) {
    return {new Json(std::move(document)), [](Json* dropped) {
                discard(*dropped);
                delete dropped;
            }};
}

// Revisions tell stored records apart. What was never stored has the revision of another one, but a view of its own.
DocumentCache::Entries::iterator DocumentCache::place_of(const storage::Record& record) {
    return std::find_if(entries_.begin(), entries_.end(), [&record](const Entry& entry) {
        return entry.revision == record.revision && entry.view == record.view;
    });
}

DocumentCache::Document DocumentCache::find(const storage::Record& record) {
    Lock lock(mutex_);
    const auto found = place_of(record);
    if (found == entries_.end()) return nullptr;
    make_readable(*found);
    std::rotate(found, found + 1, entries_.end());
    return entries_.back().document;
}

void DocumentCache::make_readable(Entry& entry) {
    const KindSpec* stored = std::exchange(entry.written, nullptr);
    if (stored == nullptr) return;
    Json& document = *entry.document;
    bring_into_stored_form(document, *stored->type);
    document["kind"] = std::string(stored->kind);
    document["apiVersion"] = api_version_of(*stored);
    document["metadata"]["resourceVersion"] = std::to_string(entry.revision);
}

void DocumentCache::add(const storage::Record& record, std::shared_ptr<Json> document) {
    add(record, std::move(document), nullptr);
}

void DocumentCache::add_written(const storage::Record& record, Json form, const KindSpec& stored) {
    add(record, dropped_quickly(std::move(form)), &stored);
}

void DocumentCache::add(const storage::Record& record, std::shared_ptr<Json> document, const KindSpec* written) {
    const Bytes text = record.bytes.get();
    if (record.view == nullptr || text->size() > limits::kept_document_bytes_max) return;
    Entries gone;  // destroyed without the lock
    Lock lock(mutex_);
    if (place_of(record) != entries_.end()) return;
    entries_.push_back({record.revision, record.view, text->size(), std::move(document), written});
    bytes_ += text->size();
    while (entries_.size() > limits::kept_documents_max || bytes_ > limits::kept_documents_bytes_max) {
        bytes_ -= entries_.front().bytes;
        gone.push_back(std::move(entries_.front()));
        entries_.erase(entries_.begin());
    }
}

std::optional<Json> DocumentCache::take(const storage::Record& record) {
    std::shared_ptr<Json> document;
    {
        Lock lock(mutex_);
        const auto found = place_of(record);
        if (found == entries_.end()) return std::nullopt;
        make_readable(*found);
        document = std::move(found->document);
        bytes_ -= found->bytes;
        entries_.erase(found);
    }
    // Nobody finds it any more, but somebody may still read it.
    if (document.use_count() > 1) return *document;
    // To see the count is not to be behind those who lowered it; to change it is, and so to be behind their reading.
    { const std::shared_ptr<Json> counted = document; }
    return std::move(*document);
}

void DocumentCache::clear() {
    Entries gone;
    Lock lock(mutex_);
    gone.swap(entries_);
    bytes_ = 0;
}

}  // namespace kubemu::api
