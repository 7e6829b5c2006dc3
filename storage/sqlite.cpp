// SQLite's calls behind scope-bound owners; the only file that includes sqlite3.h.
#include "storage/sqlite.h"

#include <sqlite3.h>

#include <tuple>

namespace kubemu::storage {
namespace {

// How long a read-only connection waits while another one recovers or checkpoints the log.
constexpr int busy_timeout_milliseconds = 1000;

}  // namespace

void Connection::Close::operator()(sqlite3* handle) const {
    sqlite3_close_v2(handle);
}
void Statement::Finalize::operator()(sqlite3_stmt* handle) const {
    sqlite3_finalize(handle);
}

Result<Connection, Error> Connection::open(const std::string& path, Access access) {
    Connection connection;
    connection.path_ = path;
    sqlite3* handle = nullptr;
    const int how =
        access == Access::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    const int code = sqlite3_open_v2(path.c_str(), &handle, how | SQLITE_OPEN_NOMUTEX, nullptr);
    connection.handle_.reset(handle);
    if (code != SQLITE_OK) return connection.error();
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_busy_timeout(handle, busy_timeout_milliseconds);
    return connection;
}

Result<Statement, Error> Connection::prepare(std::string_view sql) {
    Statement statement;
    sqlite3_stmt* handle = nullptr;
    const int code = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
    if (code != SQLITE_OK) return error();
    statement.handle_.reset(handle);
    return statement;
}

Result<bool, Error> Connection::run(const char* sql) {
    if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return error();
    return true;
}

Result<std::int64_t, Error> Connection::integer(const char* sql) {
    TRY_ASSIGN(Statement statement, prepare(sql));
    if (statement.step() != Step::row) return error();
    return statement.integer(0);
}

Error Connection::error() const {
    const int code = handle_ ? sqlite3_errcode(handle_.get()) & 0xff : SQLITE_NOMEM;
    const std::string words = handle_ ? sqlite3_errmsg(handle_.get()) : "out of memory";
    switch (code) {
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return Error{Error::Code::corrupt,
                         {},
                         0,
                         "database " + path_ + " is damaged or not a kubemu database (" + words + ")"};
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return Error{Error::Code::locked, {}, 0, "database " + path_ + " is in use by another process"};
        default:
            return Error{Error::Code::io, {}, 0, "database " + path_ + ": " + words};
    }
}

Statement& Statement::bind(int index, std::int64_t value) {
    sqlite3_bind_int64(handle_.get(), index, value);
    return *this;
}

Statement& Statement::bind(int index, std::string_view value) {
    // A null pointer would be SQL's NULL, which equals nothing.
    const char* data = value.data() == nullptr ? "" : value.data();
    sqlite3_bind_text64(handle_.get(), index, data, value.size(), SQLITE_STATIC, SQLITE_UTF8);
    return *this;
}

Step Statement::step() {
    switch (sqlite3_step(handle_.get())) {
        case SQLITE_ROW:
            return Step::row;
        case SQLITE_DONE:
            return Step::done;
        default:
            return Step::failed;
    }
}

void Statement::reset() {
    sqlite3_reset(handle_.get());
    sqlite3_clear_bindings(handle_.get());
}

bool Statement::execute() {
    const bool done = step() == Step::done;
    // A failed statement keeps its error for Connection::error(): sqlite3_reset returns it again.
    reset();
    return done;
}

std::int64_t Statement::integer(int column) {
    return sqlite3_column_int64(handle_.get(), column);
}

std::string_view Statement::text(int column) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(handle_.get(), column));
    if (text == nullptr) return {};
    return {text, static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

Result<SqlTransaction, Error> SqlTransaction::begin(Connection& connection) {
    TRY(connection.run("BEGIN IMMEDIATE"));
    return SqlTransaction(connection);
}

Result<SqlTransaction, Error> SqlTransaction::begin(Connection& connection, Statement& begin) {
    if (!begin.execute()) return connection.error();
    return SqlTransaction(connection);
}

SqlTransaction::~SqlTransaction() {
    // It may fail because SQLite rolled back by itself; there is nothing left to do then.
    if (connection_ != nullptr) std::ignore = connection_->run("ROLLBACK");
}

Result<bool, Error> SqlTransaction::commit() {
    TRY(connection_->run("COMMIT"));
    connection_ = nullptr;
    return true;
}

Result<bool, Error> SqlTransaction::commit(Statement& commit) {
    if (!commit.execute()) return connection_->error();
    connection_ = nullptr;
    return true;
}

}  // namespace kubemu::storage
