// A connection to SQLite, its statements and its transactions, owned by scope.
//
// sqlite3.h is included by sqlite.cpp alone; everybody else sees these classes and storage::Error.
// A Connection and its statements belong to one thread at a time (the connection is opened without SQLite's
// own lock).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "storage/base/result.h"
#include "storage/error.h"

struct sqlite3;
struct sqlite3_stmt;

namespace kubemu::storage {

class Statement;

class Connection {
  public:
    enum class Access { read_write, read_only };
    // `path` is a file name, made when it is missing and Access is read_write; or ":memory:".
    // Errors: io, corrupt, locked.
    static Result<Connection, Error> open(const std::string& path, Access access);

    Result<Statement, Error> prepare(std::string_view sql);
    // For statements without rows and values.
    Result<bool, Error> run(const char* sql);
    // One integer from a query such as a PRAGMA.
    Result<std::int64_t, Error> integer(const char* sql);
    // What the last failure was; the path and SQLite's own words are in the detail.
    Error error() const;

  private:
    struct Close {
        void operator()(sqlite3* handle) const;
    };
    std::unique_ptr<sqlite3, Close> handle_;
    std::string path_;
};

// What a statement did: it has a row to read, it is finished, or it failed (Connection::error() says why).
enum class Step { row, done, failed };

// A prepared statement. Bind from 1, step, read columns from 0, reset. It keeps its connection's handle open.
class Statement {
  public:
    // The text must live until the statement is reset.
    Statement& bind(int index, std::string_view value);
    Statement& bind(int index, std::int64_t value);

    Step step();
    // Makes it ready for new values.
    void reset();
    // For statements without rows: one step and a reset. False when it failed.
    bool execute();

    std::int64_t integer(int column);
    // Valid until the next step or reset.
    std::string_view text(int column);

  private:
    friend class Connection;
    struct Finalize {
        void operator()(sqlite3_stmt* handle) const;
    };
    std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

// Resets a statement at the end of a scope, so that no return leaves a read transaction open.
class ResetLater {
  public:
    explicit ResetLater(Statement& statement) : statement_(statement) {}
    ~ResetLater() { statement_.reset(); }
    ResetLater(const ResetLater&) = delete;
    ResetLater& operator=(const ResetLater&) = delete;

  private:
    Statement& statement_;
};

// A writing transaction: rolled back at the end of its scope unless it was committed.
class SqlTransaction {
  public:
    static Result<SqlTransaction, Error> begin(Connection& connection);
    // The same with a prepared "BEGIN IMMEDIATE" and "COMMIT" of this connection, for those who do it often.
    static Result<SqlTransaction, Error> begin(Connection& connection, Statement& begin);
    Result<bool, Error> commit(Statement& commit);
    SqlTransaction(SqlTransaction&& other) noexcept
        : connection_(std::exchange(other.connection_, nullptr)) {}
    SqlTransaction& operator=(SqlTransaction&& other) noexcept {
        std::swap(connection_, other.connection_);
        return *this;
    }
    ~SqlTransaction();
    Result<bool, Error> commit();

  private:
    explicit SqlTransaction(Connection& connection) : connection_(&connection) {}
    Connection* connection_;
};

}  // namespace kubemu::storage
