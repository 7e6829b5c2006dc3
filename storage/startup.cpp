// The queries of the start.
#include "storage/startup.h"

#include <algorithm>

namespace kubemu::storage {

StoreResult<Startup> read_startup(Connection& connection, const ViewOf& view_of, TextPacker& packer) {
    Startup startup;
    TRY_ASSIGN(startup.compacted,
               connection.integer("SELECT coalesce((SELECT CAST(value AS INTEGER) FROM meta "
                                  "WHERE name='store/compacted'),0)"));
    TRY_ASSIGN(const Revision highest, connection.integer("SELECT coalesce(max(rev),0) FROM revision"));
    // The newest rows may have been deletions, which compaction took away.
    startup.newest = std::max(highest, startup.compacted);

    // The inner query is answered by the index; only live rows are fetched.
    TRY_ASSIGN(Statement rows,
               connection.prepare(
                   "SELECT r.rev,r.resource,r.key,r.verb,r.create_rev,r.prev_rev,r.bytes FROM "
                   "(SELECT max(rev) AS newest, verb AS last FROM revision INDEXED BY revision_by_key "
                   "GROUP BY resource,key) JOIN revision r ON r.rev=newest WHERE last=0"));
    Step step = Step::done;
    while ((step = rows.step()) == Step::row) {
        std::shared_ptr<Record> record = record_of_row(rows);
        if (!record) return Error{Error::Code::corrupt, {}, 0, "the database holds an impossible row"};
        if (view_of) record->view = view_of(*record);
        packer.pack(*record);
        KeyIndex& index = startup.indexes.of(record->resource);
        index.put(std::move(record));
    }
    if (step == Step::failed) return connection.error();

    TRY_ASSIGN(Statement marks, connection.prepare("SELECT time,rev FROM mark ORDER BY time"));
    while ((step = marks.step()) == Step::row) {
        startup.marks.push_back({Time(Duration(marks.integer(0))), marks.integer(1)});
    }
    if (step == Step::failed) return connection.error();
    return startup;
}

}  // namespace kubemu::storage
