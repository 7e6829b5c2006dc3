// The cache behind controllers.
#include "api/informer.h"

#include "api/registry.h"
#include "storage/base/limits.h"

namespace kubemu::api {

Informer::Informer(storage::Store& store, std::string resource, std::function<void()> wake)
    : store_(store), resource_(std::move(resource)), wake_(std::move(wake)) {}
Informer::~Informer() = default;

void Informer::subscribe(Handler handler) { handlers_.push_back(std::move(handler)); }

void Informer::index(const storage::RecordPtr& record, bool add) {
    const ObjectView& view = view_of(*record);
    const auto change = [&](auto& table, const std::string& name) {
        if (add) {
            table[name][record->key] = record;
        } else if (const auto found = table.find(name); found != table.end()) {
            found->second.erase(record->key);
            if (found->second.empty()) table.erase(found);
        }
    };
    for (const OwnerReference& owner : view.owners) change(by_owner_, owner.uid);
    if (const auto* pod = dynamic_cast<const PodView*>(&view)) change(by_node_, pod->node_name);
}

void Informer::apply(storage::RecordPtr before, storage::RecordPtr after) {
    if (before) index(before, false);
    if (after) {
        records_.insert_or_assign(after->key, after);
        index(after, true);
    } else {
        records_.erase(before->key);
    }
    const Change change{std::move(before), std::move(after)};
    for (const Handler& handler : handlers_) handler(change);
}

void Informer::relist() {
    for (;;) {
        storage::Snapshot snapshot = store_.list(resource_, {});
        auto cursor = store_.watch(resource_, {}, snapshot.revision, wake_);
        if (!cursor) continue;  // compacted between the two calls; the next snapshot is newer
        cursor_ = std::move(*cursor);
        position_ = snapshot.revision;
        std::map<std::string, storage::RecordPtr, std::less<>> gone;
        gone.swap(records_);
        for (auto& [key, record] : gone) records_.emplace(key, record);
        for (const storage::RecordPtr& record : snapshot.records) {
            const auto had = gone.find(record->key);
            storage::RecordPtr before = had == gone.end() ? nullptr : had->second;
            if (had != gone.end()) gone.erase(had);
            if (before && before->revision == record->revision) continue;
            apply(std::move(before), record);
        }
        for (auto& [key, record] : gone) apply(record, nullptr);
        return;
    }
}

bool Informer::pump(std::size_t events_max) {
    bool changed = false;
    if (!cursor_) {
        relist();
        changed = !records_.empty();
    }
    std::size_t taken = 0;
    for (;;) {
        const std::size_t room = events_max == 0 ? 256 : events_max - taken;
        if (room == 0) return changed;
        storage::WatchCursor::Batch batch = cursor_->next(room);
        if (batch.state == storage::WatchCursor::Batch::State::expired) {
            relist();
            return true;
        }
        for (storage::Event& event : batch.events) {
            const auto had = records_.find(event.record->key);
            storage::RecordPtr before = had == records_.end() ? nullptr : had->second;
            if (event.record->deleted) {
                if (before) apply(std::move(before), nullptr);
            } else {
                apply(std::move(before), event.record);
            }
            changed = true;
            ++taken;
        }
        position_ = batch.position;
        if (batch.state == storage::WatchCursor::Batch::State::idle) return changed;
    }
}

storage::RecordPtr Informer::get(std::string_view key) const {
    const auto found = records_.find(key);
    return found == records_.end() ? nullptr : found->second;
}

storage::RecordPtr Informer::get(std::string_view namespace_name, std::string_view name) const {
    return get(object_key(namespace_name, name));
}

std::vector<storage::RecordPtr> Informer::list(std::string_view namespace_name) const {
    std::vector<storage::RecordPtr> out;
    if (namespace_name.empty()) {
        out.reserve(records_.size());
        for (const auto& [key, record] : records_) out.push_back(record);
        return out;
    }
    const std::string prefix = std::string(namespace_name) + "/";
    for (auto at = records_.lower_bound(prefix); at != records_.end() && at->first.compare(0, prefix.size(), prefix) == 0; ++at) {
        out.push_back(at->second);
    }
    return out;
}

namespace {

template <class Table>
std::vector<storage::RecordPtr> values(const Table& table, std::string_view name) {
    std::vector<storage::RecordPtr> out;
    const auto found = table.find(std::string(name));
    if (found == table.end()) return out;
    out.reserve(found->second.size());
    for (const auto& [key, record] : found->second) out.push_back(record);
    return out;
}

}  // namespace

std::vector<storage::RecordPtr> Informer::owned_by(std::string_view uid) const { return values(by_owner_, uid); }
std::vector<storage::RecordPtr> Informer::on_node(std::string_view node_name) const { return values(by_node_, node_name); }

}  // namespace kubemu::api
