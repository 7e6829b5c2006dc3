// WAL readers never wait for the writer, and it never waits for them.
#include "storage/peek.h"

#include "storage/sqlite.h"

namespace kubemu::storage {

StoreResult<std::optional<std::string>> meta_of_file(const std::string& path, std::string_view name) {
    TRY_ASSIGN(Connection connection, Connection::open(path, Connection::Access::read_only));
    TRY_ASSIGN(Statement row, connection.prepare("SELECT value FROM meta WHERE name=?"));
    row.bind(1, name);
    const Step step = row.step();
    if (step == Step::failed) return connection.error();
    if (step == Step::done) return std::optional<std::string>();
    return std::optional<std::string>(std::string(row.text(0)));
}

}  // namespace kubemu::storage
