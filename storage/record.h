// What the store keeps: keys, revisions, and records that are encoded once and shared by everybody.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/bytes.h"
#include "storage/forms.h"
#include "storage/record_text.h"

namespace kubemu::storage {

// Cluster-wide and strictly rising: each write of any object takes the next one. 0 means "none".
using Revision = std::int64_t;

// What the owner of the data derived from a document when it was written, so that nobody parses it again.
// Opaque here; api/views.h says what is in it.
class View {
  public:
    virtual ~View() = default;
};

// One version of one object. Immutable, shared by pointer.
struct Record {
    std::string resource;  // for example "deployments.apps"
    std::string key;       // unique within the resource, for example "default/web"
    Revision revision = 0;
    Revision create_revision = 0;
    Revision previous_revision = 0;  // 0 for the first version
    bool deleted = false;            // the last state of an object, written by its deletion
    RecordText bytes;
    std::shared_ptr<const View> view;
    Forms forms;  // of `bytes`
};
using RecordPtr = std::shared_ptr<const Record>;

// What must be true of a key when its Draft is written.
struct Precondition {
    enum class Kind {
        absent,       // there is no such object
        at_revision,  // it exists, and this is its revision
        exists,       // it exists, at whatever revision
    };
    Kind kind = Kind::absent;
    Revision revision = 0;

    static Precondition absent() { return {Kind::absent, 0}; }
    static Precondition at(Revision revision) { return {Kind::at_revision, revision}; }
    static Precondition exists() { return {Kind::exists, 0}; }
};

// A record before it has a revision: the store writes the decimal digits of the revision into `text` at
// `revision_at` and so produces the final bytes.
struct Draft {
    std::string resource;
    std::string key;
    Precondition precondition;
    bool deletes = false;  // text is then the last state, as DELETED events show it
    std::string text;
    std::size_t revision_at = 0;  // offset in text; std::string::npos when the text shows no revision
    std::shared_ptr<const View> view;
};

// All or nothing; each draft gets its own revision, in this order.
struct Transaction {
    std::vector<Draft> drafts;
};

// One change, as a watcher sees it. `previous` is null for the first version of an object.
struct Event {
    RecordPtr record;
    RecordPtr previous;
};

}  // namespace kubemu::storage
