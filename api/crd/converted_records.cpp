// Keys say which version of the record, and what it held: an answer of a dry run has the revision of what is stored.
#include "api/crd/converted_records.h"

#include <nlohmann/json.hpp>

#include "storage/base/limits.h"

namespace kubemu::api {
namespace {

std::string key_of(const storage::Record& record, const KindSpec& kind) {
    return std::string(kind.version) + " " + record.resource + "/" + record.key + " " + std::to_string(record.revision) + " " +
           std::to_string(std::hash<std::string_view>()(*record.bytes.get()));
}

}  // namespace

std::shared_ptr<const Json> ConvertedRecords::find(const storage::Record& record, const KindSpec& kind) const {
    Lock lock(mutex_);
    const auto at = documents_.find(key_of(record, kind));
    return at == documents_.end() ? nullptr : at->second;
}

void ConvertedRecords::keep(const storage::Record& record, const KindSpec& kind, Json converted) {
    auto document = std::make_shared<const Json>(std::move(converted));
    Lock lock(mutex_);
    if (documents_.size() >= limits::converted_records_max) documents_.clear();
    documents_[key_of(record, kind)] = std::move(document);
}

}  // namespace kubemu::api
