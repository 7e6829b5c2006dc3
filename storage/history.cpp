// The queries of the past.
#include "storage/history.h"

#include "storage/key_index.h"
#include "storage/schema.h"

namespace kubemu::storage {
namespace {

// A replay looks at no more rows than this at a time, so that a rare prefix does not hold its reader for
// long.
constexpr std::int64_t replay_rows_max = 1000;

using MutableEvents = std::vector<std::pair<std::shared_ptr<Record>, std::shared_ptr<Record>>>;

}  // namespace

std::shared_ptr<Record> record_of_row(Statement& row) {
    auto record = std::make_shared<Record>();
    record->revision = row.integer(0);
    record->resource = row.text(1);
    record->key = row.text(2);
    const std::int64_t verb = row.integer(3);
    record->deleted = verb == static_cast<std::int64_t>(Verb::erase);
    record->create_revision = row.integer(4);
    record->previous_revision = row.integer(5);
    record->bytes = make_bytes(std::string(row.text(6)));
    const bool possible = record->revision > 0 && (verb == 0 || verb == 1) && record->create_revision > 0 &&
                          record->create_revision <= record->revision && record->previous_revision >= 0 &&
                          record->previous_revision < record->revision;
    return possible ? record : nullptr;
}

// A connection and its prepared statements. One thread at a time.
class History::Reader {
  public:
    explicit Reader(Connection connection) : connection_(std::move(connection)) {}

    Connection& connection() { return connection_; }
    StoreResult<Statement*> statement(std::optional<Statement>& slot, const char* sql) {
        if (!slot) {
            TRY_ASSIGN(Statement made, connection_.prepare(sql));
            slot = std::move(made);
        }
        return &*slot;
    }
    // Null when the row does not exist.
    StoreResult<std::shared_ptr<Record>> revision(Revision revision) {
        TRY_ASSIGN(Statement * row,
                   statement(by_revision, "SELECT " KUBEMU_REVISION_COLUMNS " FROM revision WHERE rev=?"));
        ResetLater reset(*row);
        row->bind(1, revision);
        switch (row->step()) {
            case Step::failed:
                return connection_.error();
            case Step::done:
                return std::shared_ptr<Record>();
            case Step::row:
                break;
        }
        auto record = record_of_row(*row);
        if (!record) return damaged();
        return record;
    }
    Error damaged() const {
        return Error{Error::Code::corrupt, {}, 0, "the database holds an impossible row"};
    }

  private:
    Connection connection_;

  public:
    std::optional<Statement> by_revision, newest, keys, events, meta;
};

History::History(std::string path, ViewOf view_of) : path_(std::move(path)), view_of_(std::move(view_of)) {}

History::~History() = default;

template <class F>
auto History::with_reader(F f) const -> decltype(f(std::declval<Reader&>())) {
    std::unique_ptr<Reader> reader;
    {
        Lock lock(mutex_);
        if (!idle_.empty()) {
            reader = std::move(idle_.back());
            idle_.pop_back();
        }
    }
    if (!reader) {
        TRY_ASSIGN(Connection connection, Connection::open(path_, Connection::Access::read_only));
        TRY(connection.run("PRAGMA cache_size=-1000"));
        reader = std::make_unique<Reader>(std::move(connection));
    }
    auto result = f(*reader);
    Lock lock(mutex_);
    idle_.push_back(std::move(reader));
    return result;
}

void History::add_view(const std::shared_ptr<Record>& record) const {
    if (record && view_of_) record->view = view_of_(*record);
}

StoreResult<Page> History::list(const Store::PageQuery& query) const {
    // The index alone says which versions these are and counts the rest; only this page's rows are read.
    std::vector<std::shared_ptr<Record>> records;
    Page page;
    page.revision = query.revision;
    auto read = with_reader([&](Reader& reader) -> StoreResult<bool> {
        TRY_ASSIGN(Statement * keys,
                   reader.statement(reader.keys,
                                    "SELECT max(rev),verb FROM revision INDEXED BY revision_by_key "
                                    "WHERE resource=?1 AND key>=?2 AND key>?3 AND rev<=?4 AND "
                                    "(?5='' OR key<?5) GROUP BY key ORDER BY key"));
        ResetLater reset(*keys);
        const std::string end = prefix_end(query.prefix);
        keys->bind(1, query.resource).bind(2, query.prefix).bind(3, query.after).bind(4, query.revision);
        keys->bind(5, std::string_view(end));
        Step step = Step::done;
        while ((step = keys->step()) == Step::row) {
            if (keys->integer(1) == static_cast<std::int64_t>(Verb::erase)) continue;
            if (query.limit != 0 && records.size() == query.limit) {
                page.more = true;
                ++page.remaining;
                continue;
            }
            TRY_ASSIGN(std::shared_ptr<Record> record, reader.revision(keys->integer(0)));
            if (record) records.push_back(std::move(record));
        }
        if (step == Step::failed) return reader.connection().error();
        return true;
    });
    if (!read) return std::move(read).error();
    page.records.reserve(records.size());
    for (auto& record : records) {
        add_view(record);
        page.records.push_back(std::move(record));
    }
    return page;
}

StoreResult<RecordPtr> History::get(std::string_view resource, std::string_view key,
                                    Revision revision) const {
    auto found = with_reader([&](Reader& reader) -> StoreResult<std::shared_ptr<Record>> {
        TRY_ASSIGN(Statement * row,
                   reader.statement(reader.newest,
                                    "SELECT " KUBEMU_REVISION_COLUMNS " FROM revision WHERE resource=? "
                                    "AND key=? AND rev<=? ORDER BY rev DESC LIMIT 1"));
        ResetLater reset(*row);
        row->bind(1, resource).bind(2, key).bind(3, revision);
        switch (row->step()) {
            case Step::failed:
                return reader.connection().error();
            case Step::done:
                return std::shared_ptr<Record>();
            case Step::row:
                break;
        }
        auto record = record_of_row(*row);
        if (!record) return reader.damaged();
        return record->deleted ? nullptr : record;
    });
    if (!found) return std::move(found).error();
    add_view(*found);
    return RecordPtr(std::move(*found));
}

StoreResult<EventSource::Part> History::replay(const EventSource::Query& query, Revision until) const {
    MutableEvents found;
    EventSource::Part part;
    part.reached = until;
    auto read = with_reader([&](Reader& reader) -> StoreResult<bool> {
        TRY_ASSIGN(Statement * rows,
                   reader.statement(reader.events,
                                    "SELECT " KUBEMU_REVISION_COLUMNS " FROM revision WHERE resource=? "
                                    "AND rev>? AND rev<=? ORDER BY rev LIMIT ?"));
        ResetLater reset(*rows);
        rows->bind(1, query.resource).bind(2, query.after).bind(3, until).bind(4, replay_rows_max);
        std::int64_t seen = 0;
        Step step = Step::done;
        while ((step = rows->step()) == Step::row) {
            ++seen;
            const bool wanted = rows->text(2).substr(0, query.prefix.size()) == query.prefix;
            if (wanted && found.size() == query.events_max) {
                part.reached = found.back().first->revision;
                return true;
            }
            if (seen == replay_rows_max) part.reached = rows->integer(0);
            if (!wanted) continue;
            auto record = record_of_row(*rows);
            if (!record) return reader.damaged();
            std::shared_ptr<Record> previous;
            if (record->previous_revision != 0) {
                TRY_ASSIGN(previous, reader.revision(record->previous_revision));
            }
            found.emplace_back(std::move(record), std::move(previous));
        }
        if (step == Step::failed) return reader.connection().error();
        return true;
    });
    if (!read) return std::move(read).error();
    part.events.reserve(found.size());
    for (auto& [record, previous] : found) {
        add_view(record);
        add_view(previous);
        part.events.push_back({std::move(record), std::move(previous)});
    }
    return part;
}

StoreResult<std::optional<std::string>> History::meta(std::string_view name) const {
    return with_reader([&](Reader& reader) -> StoreResult<std::optional<std::string>> {
        TRY_ASSIGN(Statement * row, reader.statement(reader.meta, "SELECT value FROM meta WHERE name=?"));
        ResetLater reset(*row);
        row->bind(1, name);
        switch (row->step()) {
            case Step::failed:
                return reader.connection().error();
            case Step::done:
                return std::optional<std::string>();
            case Step::row:
                return std::optional<std::string>(row->text(0));
        }
        return std::optional<std::string>();
    });
}

}  // namespace kubemu::storage
