// SqliteStore: acceptance under one mutex, group commits by one thread, publication in the order of revisions.
//
// Lock order: sql_mutex_ (a connection) before mutex_ (index, logs, queue); a cursor's own mutex comes after both.
// mutex_ is never held over SQL, encoding or a wake-up.
#include "storage/sqlite_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <deque>
#include <map>
#include <thread>
#include <unordered_map>

#include "storage/base/limits.h"
#include "storage/base/log.h"
#include "storage/base/mutex.h"
#include "storage/event_log.h"
#include "storage/schema.h"
#include "storage/sqlite.h"

namespace kubemu::storage {
namespace {

constexpr std::int64_t verb_put = 1;
constexpr std::int64_t verb_delete = 2;

// The smallest text that is greater than every text with this prefix; empty when there is none.
std::string prefix_end(std::string_view prefix) {
    std::string end(prefix);
    while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xff) end.pop_back();
    if (!end.empty()) end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
    return end;
}

// Held for the life of the process, so that a second one cannot open the same database.
class FileLock {
  public:
    FileLock() = default;
    FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    FileLock& operator=(FileLock&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~FileLock() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    static StoreResult<FileLock> take(const std::string& database_path) {
        FileLock lock;
        const std::string path = database_path + ".lock";
        lock.descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (lock.descriptor_ < 0) {
            return Error{Error::Code::io, {}, 0, "cannot open " + path + ": " + std::strerror(errno)};
        }
        if (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0) {
            return Error{Error::Code::locked, {}, 0, "database " + database_path + " is in use by another kubemu"};
        }
        return lock;
    }

  private:
    int descriptor_ = -1;
};

// What a cursor and the publisher share. After the cursor's destructor has returned, `wake` is not called any more.
struct CursorWake {
    Mutex mutex;
    std::function<void()> wake KUBEMU_GUARDED_BY(mutex);
    std::atomic<bool> idle{false};

    void call() {
        Lock lock(mutex);
        if (wake) wake();
    }
};

struct Accepted {
    std::vector<Event> events;
    Completion done;
    std::size_t bytes = 0;
};

using KeyMap = std::map<std::string, RecordPtr, std::less<>>;

struct ResourceState {
    KeyMap records;
    EventLog log;
    std::vector<std::weak_ptr<CursorWake>> cursors;
    explicit ResourceState(Revision complete_after) : log(complete_after) {}
};

class SqliteStore;

class Cursor final : public WatchCursor {
  public:
    Cursor(const SqliteStore& store, std::string_view resource, std::string_view prefix, Revision after,
           std::shared_ptr<CursorWake> wake)
        : store_(store), resource_(resource), prefix_(prefix), position_(after), wake_(std::move(wake)) {}
    ~Cursor() override {
        Lock lock(wake_->mutex);
        wake_->wake = nullptr;
    }
    Batch next(std::size_t events_max) override;

  private:
    const SqliteStore& store_;
    std::string resource_;
    std::string prefix_;
    Revision position_;
    std::shared_ptr<CursorWake> wake_;
};

class SqliteStore final : public Store {
  public:
    static StoreResult<std::unique_ptr<Store>> open(SqliteStoreOptions options);
    ~SqliteStore() override;

    StoreResult<std::vector<RecordPtr>> submit(Transaction transaction, Completion done) override;
    RecordPtr tip(std::string_view resource, std::string_view key) const override;
    RecordPtr get(std::string_view resource, std::string_view key) const override;
    Snapshot list(std::string_view resource, std::string_view prefix) const override;
    std::size_t count(std::string_view resource, std::string_view prefix) const override;
    StoreResult<Page> list_at(const PageQuery& query) const override;
    StoreResult<RecordPtr> get_at(std::string_view resource, std::string_view key, Revision revision) const override;
    StoreResult<std::unique_ptr<WatchCursor>> watch(std::string_view resource, std::string_view prefix, Revision after,
                                                    std::function<void()> wake) override;
    Revision current_revision() const override { return current_.load(); }
    Revision compacted_revision() const override { return compacted_.load(); }
    StoreResult<Revision> compact(Revision revision) override;
    void flush() override;
    Revision revision_at_age(std::chrono::seconds age) const override;
    std::optional<std::string> meta(std::string_view name) const override;
    StoreResult<bool> set_meta(std::string_view name, std::string_view value) override;

    WatchCursor::Batch read_events(std::string_view resource, std::string_view prefix, Revision& position,
                                   std::size_t events_max, CursorWake& wake) const;

  private:
    explicit SqliteStore(SqliteStoreOptions options) : options_(std::move(options)) {}

    StoreResult<bool> load();
    RecordPtr find_tip(std::string_view resource, std::string_view key) const KUBEMU_REQUIRES(mutex_);
    StoreResult<bool> check(const Draft& draft, const RecordPtr& tip) const;
    ResourceState& state_of(std::string_view resource) const KUBEMU_REQUIRES(mutex_);
    void run();
    std::vector<Accepted> take_batch() KUBEMU_REQUIRES(mutex_);
    void commit_batch(std::vector<Accepted> batch);
    StoreResult<bool> write_rows(const std::vector<Accepted>& batch);
    void publish(const std::vector<Accepted>& batch);
    void refuse_from_now_on(const Error& why, std::vector<Accepted> batch);
    void note_time(Revision revision) KUBEMU_REQUIRES(mutex_);
    RecordPtr read_record(Statement& row, std::string_view resource) const;
    RecordPtr read_revision(Revision revision) const KUBEMU_REQUIRES(read_mutex());
    Mutex& read_mutex() const { return reader_ ? reader_mutex_ : sql_mutex_; }
    Connection& read_connection() const { return reader_ ? *reader_ : *writer_; }
    StoreResult<std::vector<Event>> replay(std::string_view resource, std::string_view prefix, Revision after,
                                           Revision until, std::size_t events_max, Revision& reached) const;

    // constant after open
    SqliteStoreOptions options_;
    FileLock file_lock_;

    mutable Mutex sql_mutex_;  // the writing connection
    std::unique_ptr<Connection> writer_;
    std::unique_ptr<Statement> insert_;
    mutable Mutex reader_mutex_;  // the reading connection; a database in memory has one connection for both
    std::unique_ptr<Connection> reader_;

    mutable Mutex mutex_;
    mutable std::unordered_map<std::string, std::unique_ptr<ResourceState>> resources_ KUBEMU_GUARDED_BY(mutex_);
    std::unordered_map<std::string, RecordPtr> pending_ KUBEMU_GUARDED_BY(mutex_);  // by resource '\n' key
    std::deque<Accepted> queue_ KUBEMU_GUARDED_BY(mutex_);
    Revision next_ KUBEMU_GUARDED_BY(mutex_) = 1;
    Revision start_ KUBEMU_GUARDED_BY(mutex_) = 0;  // newest when it was opened: older events are in the database only
    bool stopping_ KUBEMU_GUARDED_BY(mutex_) = false;
    bool committing_ KUBEMU_GUARDED_BY(mutex_) = false;
    std::optional<Error> failure_ KUBEMU_GUARDED_BY(mutex_);
    std::deque<std::pair<Time, Revision>> marks_ KUBEMU_GUARDED_BY(mutex_);
    mutable CondVar work_;
    mutable CondVar settled_;

    std::atomic<Revision> current_{0};
    std::atomic<Revision> compacted_{0};
    std::thread thread_;
};

std::string pending_key(std::string_view resource, std::string_view key) {
    std::string text;
    text.reserve(resource.size() + key.size() + 1);
    text += resource;
    text += '\n';
    text += key;
    return text;
}

// ---------------------------------------------------------------- opening

StoreResult<std::unique_ptr<Store>> SqliteStore::open(SqliteStoreOptions options) {
    std::unique_ptr<SqliteStore> store(new SqliteStore(std::move(options)));
    const bool in_memory = store->options_.path.empty();
    const std::string path = in_memory ? ":memory:" : store->options_.path;
    if (!in_memory) {
        TRY_ASSIGN(store->file_lock_, FileLock::take(path));
    }
    TRY_ASSIGN(Connection writer, Connection::open(path, false));
    store->writer_ = std::make_unique<Connection>(std::move(writer));
    Connection& connection = *store->writer_;
    TRY(prepare_schema(connection, path));
    TRY(connection.run("PRAGMA journal_mode=WAL"));
    TRY(connection.run(store->options_.durability == SqliteStoreOptions::Durability::full ? "PRAGMA synchronous=FULL"
                                                                                           : "PRAGMA synchronous=NORMAL"));
    TRY(connection.run("PRAGMA wal_autocheckpoint=4000"));
    TRY(connection.run("PRAGMA cache_size=-2000"));
    TRY(connection.run("PRAGMA temp_store=MEMORY"));
    store->insert_ = std::make_unique<Statement>(
        connection, "INSERT INTO revision(rev,resource,key,verb,create_rev,prev_rev,bytes) VALUES(?,?,?,?,?,?,?)");
    if (!in_memory) {
        TRY_ASSIGN(Connection reader, Connection::open(path, true));
        store->reader_ = std::make_unique<Connection>(std::move(reader));
        TRY(store->reader_->run("PRAGMA cache_size=-2000"));
    }
    TRY(store->load());
    if (store->options_.own_thread) store->thread_ = std::thread([raw = store.get()] { raw->run(); });
    return std::unique_ptr<Store>(std::move(store));
}

StoreResult<bool> SqliteStore::load() {
    Lock sql(sql_mutex_);
    Revision newest = 0;
    {
        Statement meta(*writer_, "SELECT value FROM meta WHERE name='compacted'");
        if (meta.step() == SQLITE_ROW) compacted_ = std::strtoll(std::string(meta.text(0)).c_str(), nullptr, 10);
    }
    TRY_ASSIGN(const Revision highest, writer_->integer("SELECT coalesce(max(rev),0) FROM revision"));
    newest = std::max(highest, compacted_.load());
    // SQLite takes the bare columns from the row that has the maximum.
    Statement rows(*writer_,
                   "SELECT max(rev),resource,key,verb,create_rev,prev_rev,bytes FROM revision GROUP BY resource,key");
    if (!rows.valid()) return writer_->error();
    Lock lock(mutex_);
    next_ = newest + 1;
    start_ = newest;
    current_ = newest;
    int code = SQLITE_DONE;
    while ((code = rows.step()) == SQLITE_ROW) {
        if (rows.integer(3) == verb_delete) continue;
        const std::string resource(rows.text(1));
        RecordPtr record = read_record(rows, resource);
        auto& state = resources_[resource];
        if (!state) state = std::make_unique<ResourceState>(newest);
        std::string key = record->key;
        state->records.emplace_hint(state->records.end(), std::move(key), std::move(record));
    }
    if (code != SQLITE_DONE) return writer_->error();
    note_time(newest);
    return true;
}

// Columns: rev, resource, key, verb, create_rev, prev_rev, bytes.
RecordPtr SqliteStore::read_record(Statement& row, std::string_view resource) const {
    auto record = std::make_shared<Record>();
    record->resource = resource;
    record->revision = row.integer(0);
    record->key = row.text(2);
    record->deleted = row.integer(3) == verb_delete;
    record->create_revision = row.integer(4);
    record->previous_revision = row.integer(5);
    record->bytes = make_bytes(std::string(row.text(6)));
    if (options_.view_of) record->view = options_.view_of(*record);
    return record;
}

SqliteStore::~SqliteStore() {
    if (thread_.joinable()) {
        {
            Lock lock(mutex_);
            stopping_ = true;
            work_.notify_all();
        }
        thread_.join();
    } else {
        flush();
    }
    Lock sql(sql_mutex_);
    insert_.reset();
    reader_.reset();
    writer_.reset();
}

// ---------------------------------------------------------------- acceptance

ResourceState& SqliteStore::state_of(std::string_view resource) const {
    auto& state = resources_[std::string(resource)];
    if (!state) state = std::make_unique<ResourceState>(start_);
    return *state;
}

RecordPtr SqliteStore::find_tip(std::string_view resource, std::string_view key) const {
    if (!pending_.empty()) {
        const auto waiting = pending_.find(pending_key(resource, key));
        if (waiting != pending_.end()) return waiting->second->deleted ? nullptr : waiting->second;
    }
    const KeyMap& records = state_of(resource).records;
    const auto found = records.find(key);
    return found == records.end() ? nullptr : found->second;
}

StoreResult<bool> SqliteStore::check(const Draft& draft, const RecordPtr& tip) const {
    switch (draft.precondition.kind) {
        case Precondition::Kind::absent:
            if (tip) return Error{Error::Code::already_exists, draft.key, tip->revision, {}};
            return true;
        case Precondition::Kind::at_revision:
            if (!tip) return Error{Error::Code::not_found, draft.key, 0, {}};
            if (tip->revision != draft.precondition.revision) {
                return Error{Error::Code::conflict, draft.key, tip->revision, {}};
            }
            return true;
        case Precondition::Kind::exists:
            if (!tip) return Error{Error::Code::not_found, draft.key, 0, {}};
            return true;
    }
    return true;
}

StoreResult<std::vector<RecordPtr>> SqliteStore::submit(Transaction transaction, Completion done) {
    std::vector<RecordPtr> records;
    {
        Lock lock(mutex_);
        if (failure_) return Error{Error::Code::read_only, {}, 0, {}};
        std::vector<RecordPtr> tips;
        for (const Draft& draft : transaction.drafts) {
            tips.push_back(find_tip(draft.resource, draft.key));
            TRY(check(draft, tips.back()));
        }
        Accepted accepted;
        accepted.done = std::move(done);
        for (std::size_t i = 0; i < transaction.drafts.size(); ++i) {
            Draft& draft = transaction.drafts[i];
            auto record = std::make_shared<Record>();
            record->revision = next_++;
            record->create_revision = tips[i] ? tips[i]->create_revision : record->revision;
            record->previous_revision = tips[i] ? tips[i]->revision : 0;
            record->deleted = draft.deletes;
            if (draft.revision_at != std::string::npos) {
                draft.text.insert(draft.revision_at, std::to_string(record->revision));
            }
            draft.text.shrink_to_fit();
            record->bytes = make_bytes(std::move(draft.text));
            record->view = std::move(draft.view);
            record->resource = std::move(draft.resource);
            record->key = std::move(draft.key);
            accepted.bytes += record->bytes->size();
            pending_[pending_key(record->resource, record->key)] = record;
            accepted.events.push_back({record, tips[i]});
            records.push_back(std::move(record));
        }
        queue_.push_back(std::move(accepted));
        if (options_.own_thread && !committing_) work_.notify_one();
    }
    return records;
}

// ---------------------------------------------------------------- the storage thread

std::vector<Accepted> SqliteStore::take_batch() {
    std::vector<Accepted> batch;
    std::size_t bytes = 0;
    while (!queue_.empty() && batch.size() < limits::commit_batch_transactions_max &&
           (batch.empty() || bytes + queue_.front().bytes <= limits::commit_batch_bytes_max)) {
        bytes += queue_.front().bytes;
        batch.push_back(std::move(queue_.front()));
        queue_.pop_front();
    }
    committing_ = !batch.empty();
    return batch;
}

void SqliteStore::run() {
    for (;;) {
        std::vector<Accepted> batch;
        {
            Lock lock(mutex_);
            while (queue_.empty() && !stopping_) work_.wait(mutex_);
            if (queue_.empty()) return;
            batch = take_batch();
        }
        commit_batch(std::move(batch));
    }
}

void SqliteStore::commit_batch(std::vector<Accepted> batch) {
    const StoreResult<bool> written = write_rows(batch);
    if (!written) return refuse_from_now_on(written.error(), std::move(batch));
    publish(batch);
    for (Accepted& accepted : batch) {
        if (accepted.done) accepted.done(nullptr);
    }
    Lock lock(mutex_);
    committing_ = false;
    settled_.notify_all();
}

StoreResult<bool> SqliteStore::write_rows(const std::vector<Accepted>& batch) {
    Lock sql(sql_mutex_);
    TRY(writer_->run("BEGIN IMMEDIATE"));
    for (const Accepted& accepted : batch) {
        for (const Event& event : accepted.events) {
            const Record& record = *event.record;
            insert_->bind(1, record.revision).bind(2, record.resource).bind(3, record.key);
            insert_->bind(4, record.deleted ? verb_delete : verb_put).bind(5, record.create_revision);
            insert_->bind(6, record.previous_revision).bind(7, *record.bytes);
            const int code = insert_->step();
            if (code != SQLITE_DONE) {
                Error error = writer_->error();
                insert_->reset();
                std::ignore = writer_->run("ROLLBACK");
                return error;
            }
            insert_->reset();
        }
    }
    if (auto committed = writer_->run("COMMIT"); !committed) {
        std::ignore = writer_->run("ROLLBACK");
        return committed.error();
    }
    return true;
}

void SqliteStore::publish(const std::vector<Accepted>& batch) {
    std::vector<std::shared_ptr<CursorWake>> idle;
    {
        Lock lock(mutex_);
        Revision newest = 0;
        for (const Accepted& accepted : batch) {
            for (const Event& event : accepted.events) {
                const RecordPtr& record = event.record;
                ResourceState& state = state_of(record->resource);
                if (record->deleted) {
                    state.records.erase(record->key);
                } else {
                    state.records.insert_or_assign(record->key, record);
                }
                state.log.append(event);
                const auto waiting = pending_.find(pending_key(record->resource, record->key));
                if (waiting != pending_.end() && waiting->second == record) pending_.erase(waiting);
                newest = record->revision;
                std::erase_if(state.cursors, [&idle](const std::weak_ptr<CursorWake>& weak) {
                    auto cursor = weak.lock();
                    if (!cursor) return true;
                    if (cursor->idle.exchange(false)) idle.push_back(std::move(cursor));
                    return false;
                });
            }
        }
        current_ = newest;
        note_time(newest);
    }
    for (const auto& cursor : idle) cursor->call();
}

void SqliteStore::refuse_from_now_on(const Error& why, std::vector<Accepted> batch) {
    log_line(LogLevel::error, "a commit failed; the store is read-only from now on", {{"error", to_string(why)}});
    {
        Lock lock(mutex_);
        failure_ = why;
        for (Accepted& accepted : queue_) batch.push_back(std::move(accepted));
        queue_.clear();
        pending_.clear();
    }
    for (Accepted& accepted : batch) {
        if (accepted.done) accepted.done(&why);
    }
    Lock lock(mutex_);
    committing_ = false;
    settled_.notify_all();
}

void SqliteStore::flush() {
    if (!options_.own_thread) {
        for (;;) {
            std::vector<Accepted> batch;
            {
                Lock lock(mutex_);
                batch = take_batch();
            }
            if (batch.empty()) return;
            commit_batch(std::move(batch));
        }
    }
    Lock lock(mutex_);
    while (!queue_.empty() || committing_) settled_.wait(mutex_);
}

void SqliteStore::note_time(Revision revision) {
    if (options_.clock == nullptr) return;
    const Time now = options_.clock->now();
    if (!marks_.empty() && now - marks_.back().first < std::chrono::seconds(10)) return;
    marks_.emplace_back(now, revision);
    while (marks_.size() > 360) marks_.pop_front();
}

Revision SqliteStore::revision_at_age(std::chrono::seconds age) const {
    Lock lock(mutex_);
    if (options_.clock == nullptr) return 0;
    const Time limit = options_.clock->now() - age;
    Revision found = 0;
    for (const auto& [time, revision] : marks_) {
        if (time > limit) break;
        found = revision;
    }
    return found;
}

// ---------------------------------------------------------------- reading

RecordPtr SqliteStore::tip(std::string_view resource, std::string_view key) const {
    Lock lock(mutex_);
    return find_tip(resource, key);
}

RecordPtr SqliteStore::get(std::string_view resource, std::string_view key) const {
    Lock lock(mutex_);
    const KeyMap& records = state_of(resource).records;
    const auto found = records.find(key);
    return found == records.end() ? nullptr : found->second;
}

Snapshot SqliteStore::list(std::string_view resource, std::string_view prefix) const {
    Lock lock(mutex_);
    Snapshot snapshot;
    snapshot.revision = current_;
    const KeyMap& records = state_of(resource).records;
    if (prefix.empty()) snapshot.records.reserve(records.size());
    for (auto at = records.lower_bound(prefix); at != records.end() && at->first.compare(0, prefix.size(), prefix) == 0; ++at) {
        snapshot.records.push_back(at->second);
    }
    return snapshot;
}

std::size_t SqliteStore::count(std::string_view resource, std::string_view prefix) const {
    Lock lock(mutex_);
    const KeyMap& records = state_of(resource).records;
    if (prefix.empty()) return records.size();
    std::size_t count = 0;
    for (auto at = records.lower_bound(prefix); at != records.end() && at->first.compare(0, prefix.size(), prefix) == 0; ++at) {
        ++count;
    }
    return count;
}

StoreResult<Page> SqliteStore::list_at(const PageQuery& query) const {
    Page page;
    const Revision current = current_;
    page.revision = query.revision == 0 ? current : query.revision;
    if (page.revision > current) return Error{Error::Code::future_revision, {}, current, {}};
    if (query.revision != 0 && page.revision < compacted_) return Error{Error::Code::compacted, {}, compacted_, {}};
    {
        Lock lock(mutex_);
        if (query.revision == 0 || current_ == page.revision) {
            page.revision = current_;
            const KeyMap& records = state_of(query.resource).records;
            auto at = query.after.empty() ? records.lower_bound(query.prefix) : records.upper_bound(query.after);
            for (; at != records.end() && at->first.compare(0, query.prefix.size(), query.prefix) == 0; ++at) {
                if (query.limit != 0 && page.records.size() == query.limit) {
                    page.more = true;
                    ++page.remaining;
                } else {
                    page.records.push_back(at->second);
                }
            }
            return page;
        }
    }
    const std::string end = prefix_end(query.prefix);
    std::string sql =
        "SELECT max(rev),resource,key,verb,create_rev,prev_rev,bytes FROM revision "
        "WHERE resource=?1 AND key>?2 AND key>=?3 AND rev<=?4";
    if (!end.empty()) sql += " AND key<?5";
    sql += " GROUP BY key ORDER BY key";
    Lock sql_lock(read_mutex());
    Statement rows(read_connection(), sql);
    rows.bind(1, query.resource).bind(2, query.after).bind(3, query.prefix).bind(4, page.revision);
    if (!end.empty()) rows.bind(5, std::string_view(end));
    int code = SQLITE_DONE;
    while ((code = rows.step()) == SQLITE_ROW) {
        if (rows.integer(3) == verb_delete) continue;
        if (query.limit != 0 && page.records.size() == query.limit) {
            page.more = true;
            ++page.remaining;
            continue;
        }
        page.records.push_back(read_record(rows, query.resource));
    }
    if (code != SQLITE_DONE) return read_connection().error();
    // A compaction that ran meanwhile may have taken rows away.
    if (page.revision < compacted_) return Error{Error::Code::compacted, {}, compacted_, {}};
    return page;
}

StoreResult<RecordPtr> SqliteStore::get_at(std::string_view resource, std::string_view key, Revision revision) const {
    const Revision current = current_;
    if (revision > current) return Error{Error::Code::future_revision, {}, current, {}};
    if (revision < compacted_) return Error{Error::Code::compacted, {}, compacted_, {}};
    Lock sql_lock(read_mutex());
    Statement row(read_connection(),
                  "SELECT rev,resource,key,verb,create_rev,prev_rev,bytes FROM revision "
                  "WHERE resource=? AND key=? AND rev<=? ORDER BY rev DESC LIMIT 1");
    row.bind(1, resource).bind(2, key).bind(3, revision);
    const int code = row.step();
    if (code == SQLITE_DONE || (code == SQLITE_ROW && row.integer(3) == verb_delete)) {
        return Error{Error::Code::not_found, std::string(key), 0, {}};
    }
    if (code != SQLITE_ROW) return read_connection().error();
    return read_record(row, resource);
}

RecordPtr SqliteStore::read_revision(Revision revision) const {
    Statement row(read_connection(), "SELECT rev,resource,key,verb,create_rev,prev_rev,bytes FROM revision WHERE rev=?");
    row.bind(1, revision);
    if (row.step() != SQLITE_ROW) return nullptr;
    return read_record(row, row.text(1));
}

// ---------------------------------------------------------------- watching

StoreResult<std::unique_ptr<WatchCursor>> SqliteStore::watch(std::string_view resource, std::string_view prefix,
                                                             Revision after, std::function<void()> wake) {
    auto shared = std::make_shared<CursorWake>();
    {
        Lock wake_lock(shared->mutex);
        shared->wake = std::move(wake);
    }
    Lock lock(mutex_);
    if (after > current_) return Error{Error::Code::future_revision, {}, current_, {}};
    if (after < compacted_) return Error{Error::Code::compacted, {}, compacted_, {}};
    state_of(resource).cursors.push_back(shared);
    return std::unique_ptr<WatchCursor>(new Cursor(*this, resource, prefix, after, std::move(shared)));
}

WatchCursor::Batch Cursor::next(std::size_t events_max) {
    return store_.read_events(resource_, prefix_, position_, events_max, *wake_);
}

WatchCursor::Batch SqliteStore::read_events(std::string_view resource, std::string_view prefix, Revision& position,
                                            std::size_t events_max, CursorWake& wake) const {
    WatchCursor::Batch batch;
    Revision until = 0;
    {
        Lock lock(mutex_);
        if (position < compacted_ && !state_of(resource).log.covers(position)) {
            batch.state = WatchCursor::Batch::State::expired;
            return batch;
        }
        const EventLog& log = state_of(resource).log;
        if (log.covers(position)) {
            const Revision reached = log.read(position, prefix, events_max, batch.events);
            if (reached != 0) {
                position = reached;
                batch.state = WatchCursor::Batch::State::more;
            } else {
                position = current_;
                batch.state = WatchCursor::Batch::State::idle;
                wake.idle = true;
            }
            batch.position = position;
            return batch;
        }
        until = current_;
    }
    Revision reached = until;
    auto events = replay(resource, prefix, position, until, events_max, reached);
    if (!events || position < compacted_) {
        batch.state = WatchCursor::Batch::State::expired;
        return batch;
    }
    batch.events = std::move(*events);
    position = reached;
    batch.position = position;
    batch.state = WatchCursor::Batch::State::more;
    return batch;
}

StoreResult<std::vector<Event>> SqliteStore::replay(std::string_view resource, std::string_view prefix, Revision after,
                                                    Revision until, std::size_t events_max, Revision& reached) const {
    Lock sql_lock(read_mutex());
    Statement rows(read_connection(),
                   "SELECT rev,resource,key,verb,create_rev,prev_rev,bytes FROM revision "
                   "WHERE resource=? AND rev>? AND rev<=? ORDER BY rev");
    rows.bind(1, resource).bind(2, after).bind(3, until);
    std::vector<Event> events;
    int code = SQLITE_DONE;
    while ((code = rows.step()) == SQLITE_ROW) {
        if (rows.text(2).substr(0, prefix.size()) != prefix) continue;
        if (events.size() == events_max) {
            reached = events.back().record->revision;
            return events;
        }
        RecordPtr record = read_record(rows, resource);
        RecordPtr previous = record->previous_revision == 0 ? nullptr : read_revision(record->previous_revision);
        events.push_back({std::move(record), std::move(previous)});
    }
    if (code != SQLITE_DONE) return read_connection().error();
    reached = until;
    return events;
}

// ---------------------------------------------------------------- compaction and named values

StoreResult<Revision> SqliteStore::compact(Revision revision) {
    if (revision > current_) return Error{Error::Code::future_revision, {}, current_, {}};
    if (revision <= compacted_) return compacted_.load();
    for (bool first = true;; first = false) {
        Lock sql(sql_mutex_);
        TRY(writer_->run("BEGIN IMMEDIATE"));
        if (first) {
            Statement mark(*writer_, "INSERT OR REPLACE INTO meta(name,value) VALUES('compacted',?)");
            const std::string value = std::to_string(revision);
            mark.bind(1, std::string_view(value));
            if (mark.step() != SQLITE_DONE) {
                Error error = writer_->error();
                std::ignore = writer_->run("ROLLBACK");
                return error;
            }
            // Readers must not begin to read what is about to go.
            compacted_ = revision;
        }
        Statement slice(*writer_,
                        "DELETE FROM revision WHERE rev IN (SELECT old.rev FROM revision old WHERE old.rev<=?1 AND "
                        "(old.verb=2 OR EXISTS(SELECT 1 FROM revision newer WHERE newer.resource=old.resource AND "
                        "newer.key=old.key AND newer.rev>old.rev AND newer.rev<=?1)) ORDER BY old.rev LIMIT ?2)");
        slice.bind(1, revision).bind(2, std::int64_t{limits::compaction_slice_rows});
        if (slice.step() != SQLITE_DONE) {
            Error error = writer_->error();
            std::ignore = writer_->run("ROLLBACK");
            return error;
        }
        const int deleted = sqlite3_changes(writer_->handle());
        TRY(writer_->run("COMMIT"));
        if (deleted < limits::compaction_slice_rows) break;
    }
    return revision;
}

std::optional<std::string> SqliteStore::meta(std::string_view name) const {
    Lock sql(read_mutex());
    Statement row(read_connection(), "SELECT value FROM meta WHERE name=?");
    row.bind(1, name);
    if (row.step() != SQLITE_ROW) return std::nullopt;
    return std::string(row.text(0));
}

StoreResult<bool> SqliteStore::set_meta(std::string_view name, std::string_view value) {
    Lock sql(sql_mutex_);
    Statement row(*writer_, "INSERT OR REPLACE INTO meta(name,value) VALUES(?,?)");
    row.bind(1, name).bind(2, value);
    if (row.step() != SQLITE_DONE) return writer_->error();
    return true;
}

}  // namespace

StoreResult<std::unique_ptr<Store>> open_sqlite_store(SqliteStoreOptions options) {
    return SqliteStore::open(std::move(options));
}

}  // namespace kubemu::storage
