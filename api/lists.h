// Lists: what a request for a collection asks, the records that it means, and their answer.
//
// limit and continue read one snapshot, by its revision (k8s.io/apiserver/pkg/storage/etcd3 and pkg/storage/continue.go).
#pragma once

#include <string>
#include <vector>

#include "api/exchange.h"

namespace kubemu::api {

struct ListQuery {
    storage::Revision revision = 0;  // exactly this one when not 0
    std::size_t limit = 0;           // 0: no limit
    std::string after;               // the last key that was given out before
};
// Errors: 400 and 422 for options that do not go together, 504 for a revision in the future.
ApiResult<ListQuery> list_query(const Exchange& exchange);

struct FoundList {
    std::vector<storage::RecordPtr> records;
    storage::Revision revision = 0;
    std::string token;    // to go on with; empty at the end
    long remaining = -1;  // how many come after; -1 when nobody counted
};
// Errors: 410 when the revision is compacted, with a token that goes on at the current one when there was a token.
ApiResult<FoundList> find_list(const Exchange& exchange, const ListQuery& query, const Selection& selection);

// The objects of a kind that are made when they are read (KindRules::observe); they have no revision.
std::vector<storage::RecordPtr> observed(const Exchange& exchange);

// Answers in the negotiated form. Errors: 406.
ApiResult<bool> answer_list(Exchange& exchange, const FoundList& found);

}  // namespace kubemu::api
