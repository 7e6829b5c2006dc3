// The cache behind controllers.
#include "api/informer.h"

#include <algorithm>
#include <utility>

#include "api/registry.h"
#include "storage/base/limits.h"

namespace kubemu::api {

Informer::Informer(storage::Store& store, std::string resource, std::function<void()> wake, std::function<Handler(Handler)> prepared)
    : store_(store), resource_(std::move(resource)), wake_(std::move(wake)), prepared_(std::move(prepared)) {}
Informer::~Informer() = default;

void Informer::subscribe(Handler handler) {
    handlers_.push_back(prepared_ ? prepared_(std::move(handler)) : std::move(handler));
}

void Informer::put(Records& records, const storage::RecordPtr& record) {
    const auto [at, fresh] = records.insert(record);
    if (fresh) return;
    // The node takes over the record and with it the key's text; its place stays.
    auto node = records.extract(at);
    node.value() = record;
    records.insert(std::move(node));
}

void Informer::index(const storage::RecordPtr& record, bool add) {
    const ObjectView& view = view_of(*record);
    const auto change = [&](auto& table, const std::string& name) {
        if (add) {
            put(table[name], record);
        } else if (const auto found = table.find(name); found != table.end()) {
            if (const auto at = found->second.find(record); at != found->second.end()) found->second.erase(at);
            if (found->second.empty()) table.erase(found);
        }
    };
    for (const OwnerReference& owner : view.owners) change(by_owner_, owner.uid);
    if (const auto* pod = dynamic_cast<const PodView*>(&view)) change(by_node_, pod->node_name);
}

void Informer::apply(storage::RecordPtr before, storage::RecordPtr after) {
    if (before) index(before, false);
    if (after) {
        put(records_, after);
        index(after, true);
    } else {
        records_.erase(records_.find(before));
    }
    const Change change{std::move(before), std::move(after)};
    for (const Handler& handler : handlers_) handler(change);
}

// Between what is known and what there is now, deletions first. An object that was deleted and made again is both.
void Informer::relist() {
    const bool knows_nothing = cursor_ == nullptr;
    for (;;) {
        storage::Snapshot snapshot = store_.list(resource_, {});
        auto cursor = store_.watch(resource_, {}, snapshot.revision, [this] {
            woken_ = true;
            wake_();
        });
        if (!cursor) continue;  // compacted between the two calls; the next snapshot is newer
        cursor_ = std::move(*cursor);
        position_ = snapshot.revision;
        std::vector<Change> gone, changed;
        auto known = records_.begin();
        for (const storage::RecordPtr& record : snapshot.records) {
            for (; known != records_.end() && (*known)->key < record->key; ++known) gone.push_back({*known, nullptr});
            storage::RecordPtr before;
            if (known != records_.end() && (*known)->key == record->key) before = *known++;
            if (before && before->revision == record->revision) continue;
            if (before && before->create_revision != record->create_revision) gone.push_back({std::exchange(before, nullptr), nullptr});
            changed.push_back({std::move(before), record});
        }
        for (; known != records_.end(); ++known) gone.push_back({*known, nullptr});
        if (!knows_nothing) {
            std::sort(changed.begin(), changed.end(),
                      [](const Change& a, const Change& b) { return a.after->revision < b.after->revision; });
        }
        for (Change& change : gone) apply(std::move(change.before), nullptr);
        for (Change& change : changed) apply(std::move(change.before), std::move(change.after));
        return;
    }
}

bool Informer::pump(std::size_t events_max) {
    bool changed = false;
    if (!cursor_) {
        relist();
        changed = !records_.empty();
    } else if (store_.announced_revision() - position_ > static_cast<storage::Revision>(limits::event_log_events_max)) {
        // The events may be in the database only, many of them about what has changed again since. What there is now is
        // at hand: nobody has to read it.
        relist();
        changed = true;
    }
    std::size_t taken = 0;
    for (;;) {
        const std::size_t room = events_max == 0 ? 256 : events_max - taken;
        if (room == 0) {
            woken_ = true;
            return changed;
        }
        storage::WatchCursor::Batch batch = cursor_->next(room);
        if (batch.state == storage::WatchCursor::Batch::State::expired) {
            relist();
            woken_ = true;  // the new cursor has not been at the head
            return true;
        }
        for (storage::Event& event : batch.events) {
            const auto had = records_.find(event.record);
            storage::RecordPtr before = had == records_.end() ? nullptr : *had;
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

bool Informer::refresh(storage::Revision announced) {
    if (woken_.exchange(false)) return pump();
    position_ = std::max(position_, announced);
    return false;
}

storage::RecordPtr Informer::get(std::string_view key) const {
    const auto found = records_.find(key);
    return found == records_.end() ? nullptr : *found;
}

storage::RecordPtr Informer::get(std::string_view namespace_name, std::string_view name) const {
    return get(object_key(namespace_name, name));
}

std::vector<storage::RecordPtr> Informer::list(std::string_view namespace_name) const {
    if (namespace_name.empty()) return {records_.begin(), records_.end()};
    std::vector<storage::RecordPtr> out;
    const std::string prefix = std::string(namespace_name) + "/";
    for (auto at = records_.lower_bound(std::string_view(prefix)); at != records_.end() && (*at)->key.starts_with(prefix); ++at) {
        out.push_back(*at);
    }
    return out;
}

std::vector<storage::RecordPtr> Informer::listed(const std::unordered_map<std::string, Records>& table, std::string_view name) {
    const auto found = table.find(std::string(name));
    if (found == table.end()) return {};
    return {found->second.begin(), found->second.end()};
}

std::vector<storage::RecordPtr> Informer::owned_by(std::string_view uid) const { return listed(by_owner_, uid); }
std::vector<storage::RecordPtr> Informer::on_node(std::string_view node_name) const { return listed(by_node_, node_name); }

}  // namespace kubemu::api
