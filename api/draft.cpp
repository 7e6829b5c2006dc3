// Encoding at the border of the store.
#include "api/draft.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/kinds/views.h"
#include "api/registry.h"
#include "storage/base/text_search.h"

namespace kubemu::api {
namespace {
constexpr std::string_view revision_member = "\"resourceVersion\":\"";
constexpr std::string_view owners_member = "\"managedFields\":[";

// A part of a text, by offsets.
struct Part {
    std::size_t begin = std::string::npos, end = std::string::npos;
};

// The array of metadata.managedFields: metadata stands first, and inside of strings quotes are escaped.
Part owners_in(std::string_view text) {
    Part part;
    const std::size_t found = find_text(text, owners_member);
    if (found == text.npos) return part;
    int depth = 1;
    bool quoted = false;
    std::size_t at = found + owners_member.size();
    for (; at < text.size() && depth > 0; ++at) {
        const char c = text[at];
        if (quoted) {
            if (c == '\\') ++at;
            else if (c == '"') quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '[' || c == '{') {
            ++depth;
        } else if (c == ']' || c == '}') {
            --depth;
        }
    }
    if (depth == 0) part = {found, at};
    return part;
}
}

std::string api_version_of(const KindSpec& kind) {
    if (kind.group.empty()) return std::string(kind.version);
    return std::string(kind.group) + "/" + std::string(kind.version);
}

storage::Draft make_draft(const KindSpec& stored, const Json& object, storage::Precondition precondition) {
    Encoded encoded = encode_object(object, *stored.type, api_version_of(stored), stored.kind);
    storage::Draft draft;
    draft.resource = stored.resource;
    draft.key = object_key(stored.namespaced ? namespace_of(object) : std::string_view(), name_of(object));
    draft.precondition = precondition;
    draft.text = std::move(encoded.text);
    draft.revision_at = encoded.revision_at;
    draft.view = make_view(stored, object);
    return draft;
}

storage::Draft make_deletion(const storage::Record& record) {
    storage::Draft draft;
    draft.resource = record.resource;
    draft.key = record.key;
    draft.precondition = storage::Precondition::at(record.revision);
    draft.deletes = true;
    draft.text = *record.bytes.get();
    draft.view = record.view;
    // metadata stands first and resourceVersion before anything in it that could hold the same words.
    const std::size_t found = draft.text.find(revision_member);
    draft.revision_at = std::string::npos;
    if (found != std::string::npos) {
        draft.revision_at = found + revision_member.size();
        draft.text.erase(draft.revision_at, draft.text.find('"', draft.revision_at) - draft.revision_at);
    }
    return draft;
}

bool same_content(const storage::Draft& draft, const storage::Record& record) {
    const Bytes text = record.bytes.get();
    const std::string& bytes = *text;
    if (draft.revision_at == std::string::npos) return draft.text == bytes;
    const std::string digits = std::to_string(record.revision);
    const std::size_t at = draft.revision_at;
    return bytes.size() == draft.text.size() + digits.size() && bytes.compare(0, at, draft.text, 0, at) == 0 &&
           bytes.compare(at, digits.size(), digits) == 0 &&
           bytes.compare(at + digits.size(), std::string::npos, draft.text, at, std::string::npos) == 0;
}

bool same_but_owners(const storage::Draft& draft, const storage::Record& record) {
    const Bytes kept = record.bytes.get();
    const std::string_view before(*kept), now(draft.text);
    // What stands behind the last difference: without the end of the owners and of metadata, that difference does, too.
    const auto last = std::mismatch(before.rbegin(), before.rend(), now.rbegin(), now.rend()).second;
    if (now.substr(static_cast<std::size_t>(now.rend() - last)).find("]}") == std::string_view::npos) return false;
    const Part from = owners_in(before), to = owners_in(now);
    if (from.end == std::string::npos || to.end == std::string::npos || before.substr(from.end) != now.substr(to.end)) return false;
    const std::size_t at = draft.revision_at;
    if (at == std::string::npos || at > to.begin) return false;
    const std::string digits = std::to_string(record.revision);
    const std::string_view head = before.substr(0, from.begin);
    return head.size() == to.begin + digits.size() && head.substr(0, at) == now.substr(0, at) && head.substr(at, digits.size()) == digits &&
           head.substr(at + digits.size()) == now.substr(at, to.begin - at);
}

std::string with_revision(std::string text, std::size_t revision_at, std::string_view revision) {
    if (revision_at == std::string::npos) return text;
    if (!revision.empty()) return text.insert(revision_at, revision);
    std::size_t begin = revision_at - revision_member.size();
    std::size_t end = revision_at + 1;
    if (text[end] == ',') {
        ++end;
    } else if (text[begin - 1] == ',') {
        --begin;
    }
    return text.erase(begin, end - begin);
}

std::string encode_document(const TypeInfo& type, std::string_view api_version, std::string_view kind, const Json& object) {
    Encoded encoded = encode_object(object, type, api_version, kind);
    return with_revision(std::move(encoded.text), encoded.revision_at, string_at(object, {"metadata", "resourceVersion"}));
}

std::string encode_document(const KindSpec& kind, const Json& object) {
    return encode_document(*kind.type, api_version_of(kind), kind.kind, object);
}

storage::RecordPtr unstored_record(storage::Draft draft, storage::Revision revision) {
    auto record = std::make_shared<storage::Record>();
    record->resource = std::move(draft.resource);
    record->key = std::move(draft.key);
    record->revision = revision;
    record->deleted = draft.deletes;
    record->view = std::move(draft.view);
    record->bytes = make_bytes(
        with_revision(std::move(draft.text), draft.revision_at, revision > 0 ? std::to_string(revision) : std::string()));
    return record;
}

}  // namespace kubemu::api
