// FieldSet: a set of paths into an object, in the form in which metadata.managedFields keeps it (FieldsV1).
//
// The form is a trie of JSON objects. A member is a step of a path: "f:name" (a field or map key),
// "k:{"name":"a"}" (a list item by its keys), "v:1" (a list item by its value), "i:0" (by its place). A node
// that is empty, or holds ".", is in the set itself. Working on that form directly spares every write the way
// there and back. Operations as in sigs.k8s.io/structured-merge-diff/v4/fieldpath.Set.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/values/object.h"

namespace kubemu::api {

class FieldSet {
  public:
    FieldSet();
    // Takes a FieldsV1 document; anything but an object is the empty set.
    explicit FieldSet(Json tree);
    FieldSet(const FieldSet&);
    FieldSet(FieldSet&&) noexcept;
    FieldSet& operator=(const FieldSet&);
    FieldSet& operator=(FieldSet&&) noexcept;
    ~FieldSet();

    static FieldSet of_path(const std::vector<std::string>& steps);

    bool empty() const;
    bool has(const std::vector<std::string>& steps) const;
    const Json& tree() const { return *tree_; }  // an object; empty for the empty set

    bool covers(const FieldSet& other) const;  // every member of `other` is one of this
    Json release() &&;                         // the tree, moved out
    // covers() and whether there is a common member, of tries where they lie.
    static bool tree_covers(const Json& tree, const Json& other);
    static bool trees_meet(const Json& a, const Json& b);

    void add(FieldSet other);
    // Takes the members of `other` out; what lies below a member of `other` stays.
    void remove(const FieldSet& other);
    // Takes the members of `other` and all that lies below them out.
    void remove_below(const FieldSet& other);

    FieldSet unite(const FieldSet& other) const;
    FieldSet intersect(const FieldSet& other) const;
    FieldSet subtract(const FieldSet& other) const;
    // Each path in order, as people read it: `.spec.containers[name="c"].image`.
    void for_each(const std::function<void(const std::string& path)>& visit) const;

    // A node of a trie is in the set itself.
    static bool is_member(const Json& node);
    // Makes `node` (null, or a node of a trie) a member.
    static void add_member(Json& node);

    // Hangs `child` below `parent` unless it is null.
    static void adopt(Json& parent, std::string_view step, Json&& child);

  private:
    std::unique_ptr<Json> tree_;
};

// One step as people read it: `.name`, `[name="c"]`, `[="v"]`, `[0]`.
std::string readable_step(std::string_view step);

}  // namespace kubemu::api
