// Informer: an indexed cache of one resource's newest published records, kept up to date by a watch cursor.
//
// It holds pointers to shared records, not documents. It lives on one thread; `pump` brings it up to date and tells
// its subscribers, in the order of revisions. What a reader may assume: the cache is some real past state of the
// resource, and `position` says which; it never goes back.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/kinds/views.h"
#include "storage/store.h"

namespace kubemu::api {

class Informer {
  public:
    struct Change {
        storage::RecordPtr before;  // null: added
        storage::RecordPtr after;   // null: deleted; `before` is then the last state
    };
    using Handler = std::function<void(const Change&)>;

    // `wake` is called from any thread when pump() has something to do. `prepared` is what becomes of each handler before
    // it is subscribed; none: it stays what it is.
    Informer(storage::Store& store, std::string resource, std::function<void()> wake,
             std::function<Handler(Handler)> prepared = {});
    ~Informer();

    // Handlers added before the first pump() see every object that exists then as added.
    void subscribe(Handler handler);
    // Takes at most `events_max` changes (0: all); true when something changed.
    bool pump(std::size_t events_max = 0);
    // As pump(), at next to no cost when nothing of the resource has been written. `announced` is the store's, read
    // before the call.
    bool refresh(storage::Revision announced);
    storage::Revision position() const { return position_; }
    const std::string& resource() const { return resource_; }

    // "namespace/name", or "name" for cluster-wide kinds.
    storage::RecordPtr get(std::string_view key) const;
    storage::RecordPtr get(std::string_view namespace_name, std::string_view name) const;
    // In the order of keys. An empty namespace: all.
    std::vector<storage::RecordPtr> list(std::string_view namespace_name = {}) const;
    // Objects with an owner reference to this uid, in the order of keys.
    std::vector<storage::RecordPtr> owned_by(std::string_view uid) const;
    // Pods only: those on a node ("" for the unscheduled).
    std::vector<storage::RecordPtr> on_node(std::string_view node_name) const;
    std::size_t size() const { return records_.size(); }

  private:
    void apply(storage::RecordPtr before, storage::RecordPtr after);
    void index(const storage::RecordPtr& record, bool add);
    void relist();

    storage::Store& store_;
    std::string resource_;
    std::function<void()> wake_;
    std::function<Handler(Handler)> prepared_;
    std::atomic<bool> woken_{true};  // since the cursor was last at the head
    std::unique_ptr<storage::WatchCursor> cursor_;
    storage::Revision position_ = 0;
    std::vector<Handler> handlers_;
    struct ByKey {
        using is_transparent = void;
        static std::string_view key_of(const storage::RecordPtr& record) { return record->key; }
        static std::string_view key_of(std::string_view key) { return key; }
        template <class A, class B>
        bool operator()(const A& a, const B& b) const {
            return key_of(a) < key_of(b);
        }
    };
    // In the order of keys, which are the records' own.
    using Records = std::set<storage::RecordPtr, ByKey>;
    // Takes the place of the record with its key.
    static void put(Records& records, const storage::RecordPtr& record);
    static std::vector<storage::RecordPtr> listed(const std::unordered_map<std::string, Records>& table, std::string_view name);

    Records records_;
    std::unordered_map<std::string, Records> by_owner_;
    std::unordered_map<std::string, Records> by_node_;
};

}  // namespace kubemu::api
