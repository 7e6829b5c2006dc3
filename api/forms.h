// Forms: records as an exchange's answer shows them: the object in the version and encoding that were asked for, its
// metadata alone, or Table rows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/codec/protobuf.h"
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

// The Table of a Scale, whose whole text is `text`.
std::string table_of_scale(const Exchange& exchange, const Json& scale, const std::string& text);

struct RecordForm {
    bool partial = false;  // its metadata alone
    // Others will ask for the same, as watchers do for an event: the form stays with the record. What is there is
    // always made use of.
    bool keep = false;
    ProtobufEncoder* encoder = nullptr;  // for those who want the forms of many
};
// One record as the exchange's version and encoding show it: one object of JSON, or of Protocol Buffers in its
// envelope.
Slice form_of_record(const Exchange& exchange, const storage::Record& record, RecordForm form);
// A record as it would be at another revision.
storage::Record at_revision(const storage::Record& record, storage::Revision revision);
// The last state of an object that left a selection, at the revision at which it did: `left` is the record by which it
// did, `last` the one before. Its forms are kept.
Slice form_of_left(const Exchange& exchange, const storage::Record& last, const storage::Record& left, bool partial);

// 406 when metadata alone was asked for as a list and the answer is one object, or the other way round.
ApiResult<bool> check_partial_form(const Exchange& exchange, bool list);

}  // namespace kubemu::api
