// Who owns which fields of an object: metadata.managedFields, decoded.
//
// As k8s.io/apimachinery/pkg/util/managedfields/internal does it: an owner is a manager with an operation,
// for updates also the version it wrote in, and the subresource.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/apply/field_set.h"
#include "api/values/object.h"

namespace kubemu::api {

struct FieldOwner {
    std::string manager;
    bool applies = false;  // operation Apply rather than Update
    std::string api_version;
    std::string subresource;
    std::string time;  // as on the wire; empty for none
    FieldSet fields;

    bool is(const FieldOwner& other) const;
    // What conflicts say: `"kubectl" using apps/v1`.
    std::string readable() const;
};
using FieldOwners = std::vector<FieldOwner>;

// Nothing when an entry is malformed.
std::optional<FieldOwners> decode_owners(Json managed_fields);
// Puts them into the object's metadata, in their order on the wire; removes the member when there are none.
void encode_owners(FieldOwners owners, Json& object);

// The owners that a request starts from whose object names `given` (metadata.managedFields): those, or else those of `live`. A list
// that is empty or holds one empty entry gives up all ownership.
FieldOwners owners_to_start_from(const Json& live, Json given, bool subresource);

// A manager's name is at most this long (metav1 validation.FieldManagerMaxLength).
constexpr std::size_t manager_bytes_max = 128;
// The manager that a User-Agent stands for: what can be printed of it before its first slash, cut to that
// length.
std::string manager_of_agent(std::string_view user_agent);

FieldOwner* find_owner(FieldOwners& owners, const FieldOwner& like);
// Owners without fields do not exist.
void drop_empty_owners(FieldOwners& owners);
// Joins the oldest updaters of a version in one "ancient-changes" until at most ten are left.
void cap_updaters(FieldOwners& owners);

// Whether the managedFields of two objects differ, in nothing but their times.
bool only_times_differ(const Json& object, const Json& old);

}  // namespace kubemu::api
