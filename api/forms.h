// Forms: records as an exchange's answer shows them, other than the object itself: Table rows and metadata alone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/exchange.h"

namespace kubemu::api {

// What a list says of itself in its metadata.
struct ListMeta {
    std::string_view resource_version{}, continue_token{};
    long remaining = -1;  // items after this page; -1 when it is not said
};

// 400 when the query asks Table rows for an object that they cannot hold (includeObject).
ApiResult<bool> check_include_object(const Exchange& exchange);

// The Table of these records; without its column definitions on all events of a watch but the first.
std::string table_of_records(const Exchange& exchange, const std::vector<storage::RecordPtr>& records,
                             const ListMeta& meta, bool with_columns = true);
std::string table_of_record(const Exchange& exchange, const storage::Record& record, bool with_columns = true);

// The PartialObjectMetadata of one record.
std::string partial_of_record(const Exchange& exchange, const storage::Record& record);

// 406 when metadata alone was asked for as a list and the answer is one object, or the other way round.
ApiResult<bool> check_partial_form(const Exchange& exchange, bool list);

}  // namespace kubemu::api
