// A connection to SQLite and its statements, owned by scope. With sqlite_store.cpp and schema.cpp the only users of
// sqlite3.h.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "storage/base/result.h"
#include "storage/error.h"

namespace kubemu::storage {

class Connection;

// A prepared statement. Bind from 1, step, read columns from 0, reset.
class Statement {
  public:
    Statement(Connection& connection, std::string_view sql);
    bool valid() const { return handle_ != nullptr; }

    Statement& bind(int index, std::int64_t value);
    // The text must live until the statement is reset.
    Statement& bind(int index, std::string_view value);
    // SQLITE_ROW, SQLITE_DONE or an error code.
    int step() { return handle_ ? sqlite3_step(handle_.get()) : SQLITE_MISUSE; }
    void reset();

    std::int64_t integer(int column) { return sqlite3_column_int64(handle_.get(), column); }
    std::string_view text(int column);

  private:
    struct Finalize {
        void operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }
    };
    std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

class Connection {
  public:
    // `path` is a file name, or ":memory:".
    static Result<Connection, Error> open(const std::string& path, bool read_only);

    Result<bool, Error> run(const char* sql);
    // One integer from a query such as a PRAGMA.
    Result<std::int64_t, Error> integer(const char* sql);
    // What the last failure was; `path` and SQLite's own words are in the detail.
    Error error() const;
    sqlite3* handle() const { return handle_.get(); }

  private:
    struct Close {
        void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
    };
    std::unique_ptr<sqlite3, Close> handle_;
    std::string path_;
};

}  // namespace kubemu::storage
