// Drafts: how a document becomes what the store keeps.
#pragma once

#include <string>
#include <string_view>

#include "api/schema/kind.h"
#include "api/values/object.h"
#include "storage/record.h"

namespace kubemu::api {

// "apps/v1", or "v1" for the core group.
std::string api_version_of(const KindSpec& kind);

// `object` is in the storage version, which `stored` is the spec of. Its metadata.resourceVersion is not looked at.
storage::Draft make_draft(const KindSpec& stored, const Json& object, storage::Precondition precondition);
// The deletion of a record: its bytes with a place for the revision of the deletion.
storage::Draft make_deletion(const storage::Record& record);

// Whether the draft's text is the record's, revision aside.
bool same_content(const storage::Draft& draft, const storage::Record& record);

// Whether only what stands in metadata.managedFields differs, revision aside. The text of the draft has managedFields.
bool same_but_owners(const storage::Draft& draft, const storage::Record& record);

// `text` with the revision put in at `revision_at`; an empty revision takes metadata.resourceVersion out.
std::string with_revision(std::string text, std::size_t revision_at, std::string_view revision);
// The JSON text of a document of this kind, its own metadata.resourceVersion included.
std::string encode_document(const KindSpec& kind, const Json& object);
std::string encode_document(const TypeInfo& type, std::string_view api_version, std::string_view kind, const Json& object);

// A record that is never stored: the answer of a dry run. Revision 0 leaves metadata.resourceVersion out.
storage::RecordPtr unstored_record(storage::Draft draft, storage::Revision revision);

}  // namespace kubemu::api
