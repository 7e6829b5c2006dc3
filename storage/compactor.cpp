// Which revision to compact at, and the slices.
#include "storage/compactor.h"

#include <algorithm>
#include <string>
#include <vector>

#include "storage/schema.h"

namespace kubemu::storage {

StoreResult<Revision> Compactor::run_once() {
    const Revision revision = std::min(store_.revision_at_age(age_), store_.current_revision() - kept_);
    const Revision compacted = store_.compacted_revision();
    if (revision <= compacted + kept_ / 10) return compacted;
    return store_.compact(revision);
}

StoreResult<bool> CompactionRun::start() {
    TRY_ASSIGN(progress_, connection_.integer("SELECT coalesce((SELECT CAST(value AS INTEGER) FROM meta "
                                              "WHERE name='store/progress'),0)"));
    TRY_ASSIGN(Statement mark,
               connection_.prepare("INSERT OR REPLACE INTO meta(name,value) VALUES('store/compacted',?)"));
    const std::string value = std::to_string(revision_);
    if (!mark.bind(1, std::string_view(value)).execute()) return connection_.error();
    // Marks that are older than what is kept serve nobody.
    TRY_ASSIGN(Statement marks, connection_.prepare("DELETE FROM mark WHERE rev<?"));
    if (!marks.bind(1, revision_).execute()) return connection_.error();
    return true;
}

StoreResult<bool> CompactionRun::slice() {
    TRY_ASSIGN(SqlTransaction transaction, SqlTransaction::begin(connection_));
    if (progress_ < 0) TRY(start());
    std::vector<Revision> forgotten;
    Revision reached = revision_;
    {
        TRY_ASSIGN(Statement rows,
                   connection_.prepare("SELECT rev,prev_rev,verb FROM revision WHERE rev>? AND rev<=? "
                                       "ORDER BY rev LIMIT ?"));
        rows.bind(1, progress_).bind(2, revision_).bind(3, std::int64_t{limits::compaction_slice_rows});
        Step step = Step::done;
        int seen = 0;
        Revision last = progress_;
        while ((step = rows.step()) == Step::row) {
            ++seen;
            last = rows.integer(0);
            if (rows.integer(1) > 0) forgotten.push_back(rows.integer(1));
            if (rows.integer(2) == static_cast<std::int64_t>(Verb::erase)) forgotten.push_back(last);
        }
        if (step == Step::failed) return connection_.error();
        if (seen == limits::compaction_slice_rows) reached = last;
    }
    TRY_ASSIGN(Statement forget, connection_.prepare("DELETE FROM revision WHERE rev=?"));
    for (const Revision revision : forgotten) {
        if (!forget.bind(1, revision).execute()) return connection_.error();
    }
    TRY_ASSIGN(Statement note,
               connection_.prepare("INSERT OR REPLACE INTO meta(name,value) VALUES('store/progress',?)"));
    const std::string value = std::to_string(reached);
    if (!note.bind(1, std::string_view(value)).execute()) return connection_.error();
    TRY(transaction.commit());
    progress_ = reached;
    return reached == revision_;
}

}  // namespace kubemu::storage
