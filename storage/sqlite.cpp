// SQLite's calls behind scope-bound owners.
#include "storage/sqlite.h"

namespace kubemu::storage {

Statement::Statement(Connection& connection, std::string_view sql) {
    sqlite3_stmt* handle = nullptr;
    sqlite3_prepare_v3(connection.handle(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &handle,
                       nullptr);
    handle_.reset(handle);
}

Statement& Statement::bind(int index, std::int64_t value) {
    sqlite3_bind_int64(handle_.get(), index, value);
    return *this;
}

Statement& Statement::bind(int index, std::string_view value) {
    sqlite3_bind_text64(handle_.get(), index, value.data(), value.size(), SQLITE_STATIC, SQLITE_UTF8);
    return *this;
}

void Statement::reset() {
    sqlite3_reset(handle_.get());
    sqlite3_clear_bindings(handle_.get());
}

std::string_view Statement::text(int column) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(handle_.get(), column));
    return text == nullptr ? std::string_view()
                           : std::string_view(text, static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column)));
}

Result<Connection, Error> Connection::open(const std::string& path, bool read_only) {
    Connection connection;
    connection.path_ = path;
    sqlite3* handle = nullptr;
    const int flags = (read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) | SQLITE_OPEN_NOMUTEX;
    const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
    connection.handle_.reset(handle);
    if (code != SQLITE_OK) return connection.error();
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_busy_timeout(handle, 1000);
    return connection;
}

Result<bool, Error> Connection::run(const char* sql) {
    if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return error();
    return true;
}

Result<std::int64_t, Error> Connection::integer(const char* sql) {
    Statement statement(*this, sql);
    if (statement.step() != SQLITE_ROW) return error();
    return statement.integer(0);
}

Error Connection::error() const {
    Error error;
    const int code = handle_ ? sqlite3_errcode(handle_.get()) & 0xff : SQLITE_NOMEM;
    const std::string words = handle_ ? sqlite3_errmsg(handle_.get()) : "out of memory";
    switch (code) {
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            error.code = Error::Code::corrupt;
            error.detail = "database " + path_ + " is damaged or not a kubemu database (" + words + ")";
            break;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            error.code = Error::Code::locked;
            error.detail = "database " + path_ + " is in use by another process";
            break;
        default:
            error.code = Error::Code::io;
            error.detail = "database " + path_ + ": " + words;
    }
    return error;
}

}  // namespace kubemu::storage
