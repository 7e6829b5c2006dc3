// SqliteStore: acceptance under one mutex, group commits by one thread, publication in the order of
// revisions.
//
// The storage thread is the only one that writes to the ledger: batches first, then one slice of the oldest
// errand (compaction, a named value), then batches again. So there is no SQLITE_BUSY, and nobody waits behind
// a compaction. Whoever calls flush() commits what waits himself, in the place of the thread; a thread that always
// does (this_thread_flushes) runs its errands, too.
//
// Lock order: driver_mutex_ (one batch at a time), writer_mutex_ (who writes to the ledger),
// mutex_ (index, logs, queue). mutex_ is never held over SQL, views or a wake-up.
#include "storage/sqlite_store.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <exception>
#include <optional>
#include <thread>
#include <utility>

#include "storage/base/log.h"
#include "storage/base/mutex.h"
#include "storage/commit_queue.h"
#include "storage/file_lock.h"
#include "storage/key_index.h"
#include "storage/memory_ledger.h"
#include "storage/rewind.h"
#include "storage/sql_ledger.h"
#include "storage/startup.h"
#include "storage/text_packer.h"
#include "storage/watch_cursor.h"
#include "storage/watch_hub.h"

namespace kubemu::storage {
namespace {

thread_local bool flushes_itself = false;

// Work for whoever writes to the ledger that is no batch. One slice a call; true when it is finished.
struct Errand {
    std::function<StoreResult<bool>()> slice;
    std::optional<StoreResult<bool>> outcome;
};

class SqliteStore final : public Store, private EventSource {
  public:
    static StoreResult<std::unique_ptr<Store>> open(SqliteStoreOptions options);
    ~SqliteStore() override;

    StoreResult<std::vector<RecordPtr>> submit(Transaction transaction, Completion done) override;
    RecordPtr tip(std::string_view resource, std::string_view key) const override;
    RecordPtr get(std::string_view resource, std::string_view key) const override;
    Snapshot list(std::string_view resource, std::string_view prefix) const override;
    std::size_t count(std::string_view resource, std::string_view prefix) const override;
    StoreResult<Page> list_at(const PageQuery& query) const override;
    StoreResult<RecordPtr> get_at(std::string_view resource, std::string_view key,
                                  Revision revision) const override;
    StoreResult<std::unique_ptr<WatchCursor>> watch(std::string_view resource, std::string_view prefix,
                                                    Revision after, std::function<void()> wake) override;
    Revision current_revision() const override { return current_.load(); }
    Revision announced_revision() const override { return announced_.load(); }
    Revision compacted_revision() const override { return compacted_.load(); }
    StoreResult<Revision> compact(Revision revision) override;
    void flush() override;
    Revision revision_at_age(std::chrono::seconds age) const override;
    std::optional<std::string> meta(std::string_view name) const override;
    StoreResult<bool> set_meta(std::string_view name, std::string_view value) override;

  private:
    SqliteStore(SqliteStoreOptions options, FileLock file_lock, std::unique_ptr<Ledger> ledger, Startup startup, TextPacker packer);

    std::optional<Part> recent(const Query& query, const std::shared_ptr<CursorWake>& wake) override;
    StoreResult<Part> replay(const Query& query) override;
    void leave(std::string_view resource, const std::shared_ptr<CursorWake>& wake) override;

    StoreResult<bool> check_revision(Revision revision) const;
    void run();
    bool commit_next() KUBEMU_EXCLUDES(driver_mutex_);
    void commit(std::vector<Accepted> batch);
    StoreResult<bool> write(const std::vector<Accepted>& batch);
    void publish(const std::vector<Accepted>& batch);
    void refuse_from_now_on(const Error& why, std::vector<Accepted> batch);
    void advance_errand(Errand& errand);
    StoreResult<bool> run_errand(std::function<StoreResult<bool>()> slice);

    // constant after open
    const SqliteStoreOptions options_;
    const FileLock file_lock_;

    // synchronised by themselves
    Mutex writer_mutex_;  // held over a batch or a slice
    const std::unique_ptr<Ledger> ledger_;
    TextPacker packer_;  // of whoever publishes
    Mutex driver_mutex_;  // held over a batch, its publication and its completions
    std::atomic<Revision> current_;
    std::atomic<Revision> announced_;
    std::atomic<Revision> compacted_;

    mutable Mutex mutex_;
    mutable KeyIndexes indexes_ KUBEMU_GUARDED_BY(mutex_);
    mutable WatchHub hub_ KUBEMU_GUARDED_BY(mutex_);
    CommitQueue queue_ KUBEMU_GUARDED_BY(mutex_);
    std::deque<std::shared_ptr<Errand>> errands_ KUBEMU_GUARDED_BY(mutex_);
    mutable TimeMarks marks_ KUBEMU_GUARDED_BY(mutex_);
    bool failed_ KUBEMU_GUARDED_BY(mutex_) = false;
    bool stopping_ KUBEMU_GUARDED_BY(mutex_) = false;
    bool asleep_ KUBEMU_GUARDED_BY(mutex_) = false;
    CondVar work_;
    CondVar settled_;

    std::thread thread_;
};

// ---------------------------------------------------------------- opening and closing

StoreResult<std::unique_ptr<Store>> SqliteStore::open(SqliteStoreOptions options) {
    FileLock file_lock;
    TextPacker packer;
    SqlLedger::Opened opened;
    if (options.path.empty()) {
        opened.ledger = std::make_unique<MemoryLedger>();
    } else {
        TRY_ASSIGN(file_lock, FileLock::take(options.path));
        const bool synced = options.durability == SqliteStoreOptions::Durability::full;
        TRY_ASSIGN(opened, SqlLedger::open(options.path, synced, options.view_of, packer));
    }
    std::unique_ptr<SqliteStore> store(new SqliteStore(std::move(options), std::move(file_lock), std::move(opened.ledger),
                                                       std::move(opened.startup), std::move(packer)));
    if (store->options_.own_thread) store->thread_ = std::thread([raw = store.get()] { raw->run(); });
    return std::unique_ptr<Store>(std::move(store));
}

SqliteStore::SqliteStore(SqliteStoreOptions options, FileLock file_lock, std::unique_ptr<Ledger> ledger, Startup startup,
                         TextPacker packer)
    : options_(std::move(options)),
      file_lock_(std::move(file_lock)),
      ledger_(std::move(ledger)),
      packer_(std::move(packer)),
      current_(startup.newest),
      announced_(startup.newest),
      compacted_(startup.compacted),
      indexes_(std::move(startup.indexes)),
      hub_(startup.newest),
      queue_(indexes_, startup.newest) {
    if (options_.clock != nullptr) {
        for (const TimeMark& mark : startup.marks) marks_.note(mark.time, mark.revision);
        marks_.note(options_.clock->now(), startup.newest);
    }
}

SqliteStore::~SqliteStore() {
    if (thread_.joinable()) {
        {
            Lock lock(mutex_);
            stopping_ = true;
        }
        work_.notify_one();
        thread_.join();
    } else {
        flush();
    }
}

// ---------------------------------------------------------------- acceptance

StoreResult<std::vector<RecordPtr>> SqliteStore::submit(Transaction transaction, Completion done) {
    make_room_for_revisions(transaction);
    bool wake = false;
    StoreResult<std::vector<RecordPtr>> records = [&]() -> StoreResult<std::vector<RecordPtr>> {
        Lock lock(mutex_);
        if (failed_) return Error{Error::Code::read_only, {}, 0, {}};
        auto accepted = queue_.accept(std::move(transaction), std::move(done));
        wake = accepted && !flushes_itself && std::exchange(asleep_, false);
        return accepted;
    }();
    if (wake) work_.notify_one();
    return records;
}

// ---------------------------------------------------------------- the storage thread

void SqliteStore::run() {
    for (;;) {
        std::shared_ptr<Errand> errand;
        {
            Lock lock(mutex_);
            while (queue_.empty() && errands_.empty() && !stopping_) {
                asleep_ = true;
                work_.wait(mutex_);
            }
            asleep_ = false;
            if (queue_.empty() && errands_.empty()) return;
            if (!errands_.empty()) errand = errands_.front();
        }
        commit_next();
        if (!errand) continue;
        advance_errand(*errand);
        if (!errand->outcome) continue;
        Lock lock(mutex_);
        errands_.pop_front();
        settled_.notify_all();
    }
}

// False when nothing waits. One batch at a time, whichever thread commits it.
bool SqliteStore::commit_next() {
    Lock driver(driver_mutex_);
    std::vector<Accepted> batch;
    {
        Lock lock(mutex_);
        batch = queue_.take_batch();
    }
    if (batch.empty()) return false;
    commit(std::move(batch));
    return true;
}

void SqliteStore::commit(std::vector<Accepted> batch) {
    if (const StoreResult<bool> written = write(batch); !written) {
        return refuse_from_now_on(written.error(), std::move(batch));
    }
    publish(batch);
    for (Accepted& accepted : batch) {
        if (accepted.done) accepted.done(nullptr);
    }
}

StoreResult<bool> SqliteStore::write(const std::vector<Accepted>& batch) {
    std::optional<TimeMark> mark;
    if (options_.clock != nullptr) {
        Lock lock(mutex_);
        const TimeMark now{options_.clock->now(), current_};
        if (now.revision > 0 && marks_.save_due(now.time)) mark = now;
    }
    try {
        Lock lock(writer_mutex_);
        return ledger_->write(batch, mark);
    } catch (const std::exception& exception) {  // memory ran out: as final as a full disk
        return Error{Error::Code::io, {}, 0, std::string("a commit failed: ") + exception.what()};
    }
}

void SqliteStore::publish(const std::vector<Accepted>& batch) {
    std::vector<std::shared_ptr<CursorWake>> woken;
    std::vector<RecordPtr> cooled;
    {
        Lock lock(mutex_);
        Revision newest = current_;
        for (const Accepted& accepted : batch) {
            for (const Event& event : accepted.events) {
                const RecordPtr& record = event.record;
                KeyIndex& index = indexes_.of(record->resource);
                if (record->deleted) {
                    index.erase(record->key);
                } else {
                    index.put(record);
                }
                queue_.settle(record);
                hub_.append(event);
                newest = record->revision;
            }
        }
        current_ = newest;
        if (options_.clock != nullptr) marks_.note(options_.clock->now(), newest);
        woken = hub_.take_woken();
        cooled = hub_.take_cooled();
    }
    for (const auto& wake : woken) wake->call();
    announced_ = current_.load();
    for (const RecordPtr& record : cooled) packer_.pack(*record);
}

void SqliteStore::refuse_from_now_on(const Error& why, std::vector<Accepted> batch) {
    log_line(LogLevel::error, "a commit failed; the store is read-only from now on",
             {{"error", to_string(why)}});
    std::vector<Accepted> waiting;
    {
        Lock lock(mutex_);
        failed_ = true;
        waiting = queue_.give_up();
    }
    const Error failed{Error::Code::io, {}, 0, to_string(why)};
    const Error never_tried{Error::Code::read_only, {}, 0, {}};
    for (Accepted& accepted : batch) {
        if (accepted.done) accepted.done(&failed);
    }
    for (Accepted& accepted : waiting) {
        if (accepted.done) accepted.done(&never_tried);
    }
}

// Rather than to wait for the storage thread, the caller does its work; a batch that it has begun is waited for.
void SqliteStore::flush() {
    while (commit_next()) {
    }
}

void SqliteStore::advance_errand(Errand& errand) {
    Lock lock(writer_mutex_);
    StoreResult<bool> finished = errand.slice();
    if (!finished || *finished) errand.outcome = std::move(finished);
}

StoreResult<bool> SqliteStore::run_errand(std::function<StoreResult<bool>()> slice) {
    auto errand = std::make_shared<Errand>();
    errand->slice = std::move(slice);
    if (!options_.own_thread || flushes_itself) {
        {
            Lock lock(mutex_);
            if (failed_) return Error{Error::Code::read_only, {}, 0, {}};
        }
        Lock driver(driver_mutex_);
        while (!errand->outcome) advance_errand(*errand);
        return std::move(*errand->outcome);
    }
    Lock lock(mutex_);
    if (failed_) return Error{Error::Code::read_only, {}, 0, {}};
    errands_.push_back(errand);
    work_.notify_one();
    // The thread sets the outcome before it takes the errand off the list, so the list says when to look.
    while (std::find(errands_.begin(), errands_.end(), errand) != errands_.end()) settled_.wait(mutex_);
    return std::move(*errand->outcome);
}

// ---------------------------------------------------------------- reading

RecordPtr SqliteStore::tip(std::string_view resource, std::string_view key) const {
    Lock lock(mutex_);
    return queue_.tip(resource, key);
}

RecordPtr SqliteStore::get(std::string_view resource, std::string_view key) const {
    Lock lock(mutex_);
    return indexes_.find(resource, key);
}

Snapshot SqliteStore::list(std::string_view resource, std::string_view prefix) const {
    Snapshot snapshot;
    KeyRange range;
    {
        Lock lock(mutex_);
        snapshot.revision = current_;
        if (KeyIndex* index = indexes_.find(resource)) range = index->range(prefix);
    }
    snapshot.records = range.records();
    return snapshot;
}

std::size_t SqliteStore::count(std::string_view resource, std::string_view prefix) const {
    Lock lock(mutex_);
    const KeyIndex* index = std::as_const(indexes_).find(resource);
    return index == nullptr ? 0 : index->count(prefix);
}

StoreResult<bool> SqliteStore::check_revision(Revision revision) const {
    const Revision current = current_;
    const Revision compacted = compacted_;
    if (revision > current) return Error{Error::Code::future_revision, {}, current, {}};
    if (revision < compacted) return Error{Error::Code::compacted, {}, compacted, {}};
    return true;
}

StoreResult<Page> SqliteStore::list_at(const PageQuery& query) const {
    Page page;
    KeyRange range;
    std::vector<Event> changes;
    bool in_memory = false;
    {
        Lock lock(mutex_);
        page.revision = query.revision == 0 ? current_.load() : query.revision;
        TRY(check_revision(page.revision));
        const EventLog& log = hub_.log_of(query.resource);
        in_memory = page.revision == current_ || log.covers(page.revision);
        if (in_memory) {
            if (KeyIndex* index = indexes_.find(query.resource))
                range = index->range(query.prefix, query.after);
            if (page.revision < current_) log.read(page.revision, query.prefix, log.size(), changes);
        }
    }
    if (in_memory) {
        std::erase_if(changes, [&query](const Event& event) { return event.record->key <= query.after; });
        if (changes.empty()) {
            page.records = range.records(query.limit);
            page.remaining = range.size() - page.records.size();
            page.more = page.remaining > 0;
        } else {
            fill_page(page, rewind(range, changes), query.limit);
        }
        return page;
    }
    PageQuery exact = query;
    exact.revision = page.revision;
    auto read = ledger_->list(exact);
    // A compaction that ran meanwhile may have taken rows away.
    TRY(check_revision(page.revision));
    return read;
}

StoreResult<RecordPtr> SqliteStore::get_at(std::string_view resource, std::string_view key,
                                           Revision revision) const {
    {
        Lock lock(mutex_);
        TRY(check_revision(revision));
        // The newest version has been the newest ever since it was written.
        RecordPtr newest = indexes_.find(resource, key);
        if (newest && newest->revision <= revision) return newest;
    }
    auto read = ledger_->get(resource, key, revision);
    TRY(check_revision(revision));
    if (read && !*read) return Error{Error::Code::not_found, std::string(key), 0, {}};
    return read;
}

// ---------------------------------------------------------------- watching

StoreResult<std::unique_ptr<WatchCursor>> SqliteStore::watch(std::string_view resource,
                                                             std::string_view prefix, Revision after,
                                                             std::function<void()> wake) {
    TRY(check_revision(after));
    EventSource& source = *this;
    return std::unique_ptr<WatchCursor>(
        std::make_unique<LogCursor>(source, resource, prefix, after, std::move(wake)));
}

std::optional<EventSource::Part> SqliteStore::recent(const Query& query,
                                                     const std::shared_ptr<CursorWake>& wake) {
    Lock lock(mutex_);
    const EventLog& log = hub_.log_of(query.resource);
    if (!log.covers(query.after)) return std::nullopt;
    Part part;
    part.reached = log.read(query.after, query.prefix, query.events_max, part.events);
    if (part.reached == 0) {
        part.reached = current_;
        part.head = true;
        hub_.idle(query.resource, wake);
    }
    return part;
}

StoreResult<EventSource::Part> SqliteStore::replay(const Query& query) {
    TRY(check_revision(query.after));
    auto part = ledger_->replay(query, current_);
    // A compaction that ran meanwhile may have taken rows away.
    TRY(check_revision(query.after));
    return part;
}

void SqliteStore::leave(std::string_view resource, const std::shared_ptr<CursorWake>& wake) {
    Lock lock(mutex_);
    hub_.leave(resource, wake);
}

// ---------------------------------------------------------------- compaction, ages and named values

StoreResult<Revision> SqliteStore::compact(Revision revision) {
    const Revision current = current_;
    if (revision > current) return Error{Error::Code::future_revision, {}, current, {}};
    TRY(run_errand([this, slice = ledger_->compaction(revision), revision]() -> StoreResult<bool> {
        if (revision < compacted_) return true;
        // Before the first row goes, so that a reader who misses rows is sure to see why.
        compacted_ = revision;
        return slice();
    }));
    return compacted_.load();
}

Revision SqliteStore::revision_at_age(std::chrono::seconds age) const {
    if (options_.clock == nullptr) return 0;
    const Time now = options_.clock->now();
    Lock lock(mutex_);
    // So that the last write before a pause comes of age, too.
    marks_.note(now, current_);
    return marks_.at(now - age);
}

std::optional<std::string> SqliteStore::meta(std::string_view name) const {
    auto value = ledger_->meta(name);
    return value ? std::move(*value) : std::nullopt;
}

StoreResult<bool> SqliteStore::set_meta(std::string_view name, std::string_view value) {
    return run_errand([this, name, value] { return ledger_->set_meta(name, value); });
}

}  // namespace

void this_thread_flushes(bool flushes) { flushes_itself = flushes; }

StoreResult<std::unique_ptr<Store>> open_sqlite_store(SqliteStoreOptions options) {
    return SqliteStore::open(std::move(options));
}

}  // namespace kubemu::storage
