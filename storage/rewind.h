// Rewind: a list as it was a moment ago, from the index and the recent events, without the database.
//
// A client that reads a long list page by page asks for the revision of its first page; what has changed
// since is usually still in the event log. Example: the list is now {a@1, c@9}; the events after revision 5
// are b deleted (it was b@3) and c@9 (it was c@4): at revision 5 the list was {a@1, b@3, c@4}.
#pragma once

#include <vector>

#include "storage/key_index.h"
#include "storage/store.h"

namespace kubemu::storage {

// `changes` are all events of the range's keys after the wanted revision, oldest first.
std::vector<RecordPtr> rewind(const KeyRange& now, const std::vector<Event>& changes);

// Cuts `records`, an ordered list, to the page's limit.
void fill_page(Page& page, std::vector<RecordPtr> records, std::size_t limit);

}  // namespace kubemu::storage
