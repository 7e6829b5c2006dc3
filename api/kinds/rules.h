// KindRules: what cannot be declared about a kind, as up to a dozen functions; an empty hook means "nothing special".
//
// The registry calls them in the order of kube-apiserver's strategies (k8s.io/apiserver/pkg/registry/rest):
// create: set_defaults, prepare_for_create, allocate, validate, validate_create; update: set_defaults,
// prepare_for_update, allocate, validate, validate_update. All but `allocate`, `release` and `observe` are pure
// functions of their arguments.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/request.h"
#include "api/schema/kind.h"
#include "api/values/field_errors.h"
#include "api/values/object.h"
#include "api/values/status.h"
#include "storage/base/clock.h"
#include "storage/base/random.h"
#include "storage/record.h"

namespace kubemu::api {

struct ObjectView;

// What hooks may ask of the rest of the cluster. Reads see the tip: what the next write will be compared with.
class Lookup {
  public:
    virtual ~Lookup() = default;
    // The stored object, or null. `resource` is KindSpec::resource.
    virtual storage::RecordPtr get(std::string_view resource, std::string_view namespace_name, std::string_view name) const = 0;
    // All objects of a resource; of one namespace when it is not empty.
    virtual std::vector<storage::RecordPtr> list(std::string_view resource, std::string_view namespace_name) const = 0;
    virtual Json document(const storage::Record& record) const = 0;
};

struct HookContext {
    const KindSpec& kind;               // as the request named it
    std::string_view namespace_name;
    std::string_view subresource;       // "" for the object itself, "status", "scale", "ephemeralcontainers"...
    const User& user;
    Time now;
    Random& random;
    const Lookup& lookup;
    bool dry_run = false;
    // Other records to write in the same transaction, all or nothing; the write is made again when one of them has
    // lost a race. Null where there is no transaction to come.
    std::vector<storage::Draft>* companions = nullptr;
    std::vector<std::string>* warnings = nullptr;  // what preparation has to say to the client; null: nobody listens
    bool came_with_labels = true;  // on create: the client gave the object labels, before any default
};

struct KindRules {
    // Defaults that depend on other fields (the others are in the type table and have been applied already).
    void (*set_defaults)(Json& object, const HookContext&) = nullptr;
    // Sets what only the server sets. The registry has cleared the status.
    void (*prepare_for_create)(Json& object, const HookContext&) = nullptr;
    // The object itself (subresource empty): keeps server-owned fields of `old`; the registry has kept the status.
    // For subresource "status" the registry has already put the new status on the old object and calls
    // prepare_for_status_update. metadata.generation is the registry's (KindSpec::has_generation).
    void (*prepare_for_update)(Json& object, const Json& old, const HookContext&) = nullptr;
    void (*prepare_for_status_update)(Json& object, const Json& old, const HookContext&) = nullptr;
    // metadata has been validated already; enums and ranges of the type table too.
    void (*validate)(const Json& object, const HookContext&, FieldErrors&) = nullptr;
    // After `validate`, on create alone: for kinds whose updates make other checks, or in another order.
    void (*validate_create)(const Json& object, const HookContext&, FieldErrors&) = nullptr;
    void (*validate_update)(const Json& object, const Json& old, const HookContext&, FieldErrors&) = nullptr;
    void (*validate_status_update)(const Json& object, const Json& old, const HookContext&, FieldErrors&) = nullptr;
    // An update is checked by validate_update (or validate_status_update) alone: `validate` is for new objects.
    bool validates_updates_apart = false;
    // Name rule of metadata.name; null for a DNS subdomain. Returns the messages of what is wrong.
    std::vector<std::string> (*validate_name)(std::string_view name, bool prefix) = nullptr;
    void (*warnings)(const Json& object, const Json* old, const HookContext&, std::vector<std::string>&) = nullptr;
    // Takes addresses or ports for the object (old: null on create). An error refuses the write.
    ApiResult<bool> (*allocate)(Json& object, const Json* old, const HookContext&) = nullptr;
    // Adds to HookContext::companions what gives back what `allocate` took, when the object goes.
    void (*release)(const Json& object, const HookContext&) = nullptr;
    // Refuses a deletion, or changes what it does. Errors answer the request.
    ApiResult<bool> (*before_delete)(const Json& object, const HookContext&) = nullptr;
    // What the first deletion leaves on the object: a mark of its own, finalizers, conditions.
    void (*mark_deletion)(Json& object, const HookContext&) = nullptr;
    // Conversion between this version and the storage version, in place; kind and apiVersion are the registry's.
    void (*to_storage)(Json& object) = nullptr;
    void (*from_storage)(Json& object) = nullptr;
    // A kind whose objects are made when they are read (ComponentStatus).
    std::vector<Json> (*observe)(const HookContext&) = nullptr;
    // Makes the view with what this kind's readers need; the registry fills in what all views have. Null for a plain
    // ObjectView.
    std::shared_ptr<ObjectView> (*project)(const Json& object) = nullptr;
    // True when finalizer handling lets metadata.finalizers alone decide (default); Namespace has spec.finalizers too.
    bool (*has_pending_finalizers)(const Json& object) = nullptr;
};

// The rules of a kind; a static empty value when it has none. Generated from api/schema/*.yaml.
const KindRules* rules_of(const KindSpec& kind);

}  // namespace kubemu::api
