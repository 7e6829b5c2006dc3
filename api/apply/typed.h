// Typed: objects seen through their schema, as server-side apply needs them.
//
// What sigs.k8s.io/structured-merge-diff/v4/typed does with TypedValue: which paths an object sets, how two
// objects differ, what comes of laying one over the other, and what is left without some paths.
#pragma once

#include <string>
#include <vector>

#include "api/apply/field_set.h"
#include "api/schema/type.h"
#include "api/values/object.h"

namespace kubemu::api {

// Complaints about an applied configuration, each `.spec.bogus: field not declared in schema`.
std::vector<std::string> check_applied(const Json& object, const TypeInfo& type);
// The complaints as one message.
std::string join_complaints(const std::vector<std::string>& complaints);

// The paths that a configuration sets. Explicit nulls and empty maps are set too.
FieldSet field_set_of(const Json& object, const TypeInfo& type);

struct Comparison {
    FieldSet added, modified, removed;
    bool keyed = true;  // false: where something differs, an item of a keyed list lacks its key, so that nobody can own it
    bool same() const { return added.empty() && modified.empty() && removed.empty(); }
};
// Both documents are seen as Go's structs hold them: structs that are no pointers are always there, and so is
// every field that is written even when it is empty; other zero values are absent.
Comparison compare_objects(const Json& before, const Json& after, const TypeInfo& type);
// The same for what merge_applied made of a live object: empty and zero values that the configuration names are there
// beside it, whereas the live object has been through Go's structs.
Comparison compare_merged(const Json& live, const Json& merged, const TypeInfo& type);
// As they are, without Go's view (a configuration that a client sent, against another document).
Comparison compare_plain(const Json& before, const Json& after, const TypeInfo& type);

// `applied` laid over `live`: what `applied` names wins, lists with keys are merged item by item.
Json merge_applied(const Json& live, const Json& applied, const TypeInfo& type);

// `object` without the members of `paths`.
Json remove_paths(const Json& object, const TypeInfo& type, const FieldSet& paths);

// What `set` comes to where lists and maps have become atomic since it was written.
void reconcile_with_schema(FieldSet& set, const TypeInfo& type);
// That would change nothing in this trie.
bool is_settled_with_schema(const Json& tree, const TypeInfo& type);

// `paths` with every declared field on the way to a member added.
FieldSet with_named_parents(const FieldSet& paths, const TypeInfo& type);

}  // namespace kubemu::api
