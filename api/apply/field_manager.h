// FieldManager: keeps ownership of fields through every write, and carries out server-side apply.
//
// The rules are those of sigs.k8s.io/structured-merge-diff/v4/merge.Updater and of the managers around it in
// k8s.io/apimachinery/pkg/util/managedfields.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "api/apply/managed_fields.h"
#include "api/apply/typed.h"
#include "api/schema/type.h"
#include "api/values/object.h"
#include "api/values/status.h"

namespace kubemu::api {

class FieldManager {
  public:
    struct Options {
        const TypeInfo& type;     // of the objects given below
        std::string api_version;  // their version: "apps/v1"
        std::string kind;
        std::string subresource;
        std::string manager;  // "" becomes "unknown"
        std::string now;      // as on the wire
        // Converts an object, whose apiVersion says what it is, in place. Null when the version is not
        // served.
        std::function<const TypeInfo*(Json& object, const std::string& api_version)> convert;
        const FieldSet& ignored;  // what a write of this part of the object never changes: reset_fields
    };
    explicit FieldManager(Options options) : options_(std::move(options)) {}

    // Records in `object`.metadata.managedFields what a write of it over `live` changes. `live` without a
    // uid: a creation.
    void update(const Json& live, Json& object) const;

    // The object that comes of applying `patch` to `live` (an object with kind and apiVersion only when there
    // is none). Errors: 400 for what is no configuration of this kind, 409 with the conflicts, 500 for a bad
    // type.
    ApiResult<Json> apply(Json live, Json patch, bool force) const;

  private:
    static const FieldSet& server_owned();
    static std::string named(const std::string& manager);
    struct Versioned;
    struct Applied;
    struct Conflict {
        FieldOwner owner;
        FieldSet fields;
    };
    using Conflicts = std::vector<Conflict>;

    // The usual update gives new values to fields that its writer owns, and nobody else: then only a time changes, and
    // the owners need not be taken apart. False when this update is another; what it changed is then in `change`, when
    // that was looked at.
    bool touch(const Json& live, Json& object, std::optional<Comparison>& change) const;
    void record_update(const Json& live, const Json& object, Comparison change, const std::string& manager,
                       FieldOwners& owners) const;
    // Takes from all owners but `self` what the change from `live` to `object` took from them. Without force,
    // returns the conflicts and changes nothing.
    Conflicts release(const Json& live, const Json& object, const Comparison& change, const FieldOwner* self,
                      bool force, FieldOwners& owners) const;
    // What the owners have by the schemas of today.
    void reconcile(const Json& live, FieldOwners& owners) const;
    // What a write of `object` over `live` changes, without what it never changes.
    // `merged`: the object comes of an apply, see compare_merged.
    Comparison changed(const Json& live, const Json& object, bool merged) const;
    Applied apply_once(const Json& live, const Json& patch, FieldOwners owners, bool force) const;
    Json prune(Json merged, const FieldOwners& owners, const FieldOwner& applier,
               const FieldOwner& last) const;
    std::optional<Versioned> as_version(const Json& object, const std::string& api_version) const;
    // The fields of kubectl's last-applied-configuration that are still as it applied them.
    FieldSet client_side_applied(const Json& live) const;

    Options options_;
};

// Whether a write of the status of such an object leaves its labels, annotations, finalizers and owners as they are
// (metav1.ResetObjectMetaForStatus in the strategy of the kind).
bool status_keeps_metadata(std::string_view group, std::string_view resource);

// Fields that a write of this subresource ("" for the object itself) resets: nobody comes to own them by it.
const FieldSet& reset_fields(std::string_view group, std::string_view resource, std::string_view subresource,
                             bool has_status);

// Ownership of spec.replicas between an object and its Scale (managedfields.ScaleHandler).
// The managedFields of the Scale, from those of the object.
using FieldPathSteps = std::vector<std::string>;  // {"f:spec", "f:replicas"}, of the object
void owners_to_scale(const Json& object, const FieldPathSteps& replicas, Json& scale);
// The managedFields of the object, from those of its written Scale.
void owners_from_scale(const Json& scale, const std::string& api_version, const FieldPathSteps& replicas, Json& object);

}  // namespace kubemu::api
