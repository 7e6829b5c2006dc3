// SqlLedger: the past in a database file: one connection that writes, and others that read beside it.
#pragma once

#include <memory>
#include <string>

#include "storage/base/mutex.h"
#include "storage/batch_writer.h"
#include "storage/history.h"
#include "storage/ledger.h"
#include "storage/sqlite.h"
#include "storage/startup.h"

namespace kubemu::storage {

class SqlLedger final : public Ledger {
  public:
    struct Opened {
        std::unique_ptr<Ledger> ledger;
        Startup startup;
    };
    // `synced`: what is written survives a power cut. Errors: newer_schema, corrupt, io.
    static StoreResult<Opened> open(const std::string& path, bool synced, const ViewOf& view_of, TextPacker& packer);

    StoreResult<bool> write(const std::vector<Accepted>& batch, const std::optional<TimeMark>& mark) override;
    std::function<StoreResult<bool>()> compaction(Revision revision) override;
    StoreResult<bool> set_meta(std::string_view name, std::string_view value) override;

    StoreResult<Page> list(const Store::PageQuery& query) const override { return history_.list(query); }
    StoreResult<RecordPtr> get(std::string_view resource, std::string_view key, Revision revision) const override {
        return history_.get(resource, key, revision);
    }
    StoreResult<EventSource::Part> replay(const EventSource::Query& query, Revision until) const override {
        return history_.replay(query, until);
    }
    StoreResult<std::optional<std::string>> meta(std::string_view name) const override { return history_.meta(name); }

  private:
    SqlLedger(std::unique_ptr<Connection> connection, BatchWriter batches, const std::string& path, const ViewOf& view_of);

    const std::unique_ptr<Connection> writer_;
    BatchWriter batches_;
    const History history_;
};

}  // namespace kubemu::storage
