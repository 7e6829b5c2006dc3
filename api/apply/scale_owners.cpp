// Ownership of spec.replicas, seen through the Scale of an object.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/apply/field_manager.h"

namespace kubemu::api {
namespace {

constexpr const char* scale_version = "autoscaling/v1";

// Within the Scale; the object may keep its replicas elsewhere.
const FieldPathSteps& replicas_path() {
    static const FieldPathSteps path = {"f:spec", "f:replicas"};
    return path;
}

FieldOwners owners_of(const Json& object) {
    const Json* entries = find(object, {"metadata", "managedFields"});
    return (entries == nullptr ? FieldOwners() : decode_owners(*entries).value_or(FieldOwners()));
}

bool same_manager(const FieldOwner& a, const FieldOwner& b) {
    return a.manager == b.manager && a.applies == b.applies && a.subresource == b.subresource;
}

}  // namespace

void owners_to_scale(const Json& object, const FieldPathSteps& replicas, Json& scale) {
    FieldOwners owners;
    for (FieldOwner& owner : owners_of(object)) {
        if (!owner.fields.has(replicas)) continue;
        owner.fields = FieldSet::of_path(replicas_path());
        // The Scale has one version; whoever wrote replicas in any version of the object wrote it there.
        owner.api_version = scale_version;
        owners.push_back(std::move(owner));
    }
    encode_owners(std::move(owners), scale);
}

void owners_from_scale(const Json& scale, const std::string& api_version, const FieldPathSteps& replicas, Json& object) {
    FieldOwners owners = owners_of(object);
    const FieldOwners of_scale = owners_of(scale);
    const auto among = [](const FieldOwners& all, const FieldOwner& wanted) {
        return std::any_of(all.begin(), all.end(),
                           [&](const FieldOwner& owner) { return same_manager(owner, wanted); });
    };
    const FieldSet field = FieldSet::of_path(replicas);
    for (FieldOwner& owner : owners) {
        if (owner.fields.has(replicas) && !among(of_scale, owner)) owner.fields = owner.fields.subtract(field);
    }
    drop_empty_owners(owners);
    for (const FieldOwner& owner : of_scale) {
        if (!owner.fields.has(replicas_path())) continue;
        const auto at = std::find_if(owners.begin(), owners.end(),
                                     [&](const FieldOwner& known) { return same_manager(known, owner); });
        if (at == owners.end())
            owners.push_back({owner.manager, owner.applies, api_version, owner.subresource, {}, field});
        else
            at->fields = at->fields.unite(field);
    }
    encode_owners(std::move(owners), object);
}

}  // namespace kubemu::api
