// Metadata of new and changed objects.
#include "api/metadata.h"

#include <nlohmann/json.hpp>

#include "api/kinds/object_meta.h"
#include "api/values/names.h"
#include "api/values/time.h"

namespace kubemu::api {
namespace {

constexpr std::string_view immutable = "field is immutable";
constexpr std::string_view only_by_deletion = "field is immutable; may only be changed via deletion";

void check_common(const KindSpec& kind, const Json& metadata, const FieldPath& path, FieldErrors& errors) {
    validate_object_meta(metadata, path, errors);
    if (kind.custom == nullptr && kind.group != "apiextensions.k8s.io") validate_finalizers_of_kubernetes(metadata, path, errors);
}

}  // namespace

ApiResult<bool> place_in_namespace(const KindSpec& kind, std::string_view namespace_name, Json& object) {
    Json& metadata = ensure(object, {"metadata"});
    if (!kind.namespaced) {
        erase(metadata, "namespace");
        return true;
    }
    const std::string_view given = namespace_of(object);
    if (!given.empty() && given != namespace_name) {
        return Status::bad_request("the namespace of the provided object does not match the namespace sent on the request");
    }
    metadata["namespace"] = std::string(namespace_name);
    return true;
}

void fill_new_metadata(const KindSpec& kind, Json& object, Time now, Random& random) {
    Json& metadata = ensure(object, {"metadata"});
    for (const char* member : {"selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"}) {
        erase(metadata, member);
    }
    metadata["creationTimestamp"] = format_time(now);
    metadata["uid"] = random.uuid();
    if (kind.has_generation) metadata["generation"] = 1;
}

void validate_metadata(const KindSpec& kind, const Json& object, FieldErrors& errors) {
    const FieldPath path("metadata");
    const Json& metadata = object_at(object, {"metadata"});
    const KindRules* rules = rules_of(kind);
    const auto check = rules->validate_name != nullptr ? rules->validate_name : check_name_as_subdomain;
    const std::string_view prefix = string_at(metadata, {"generateName"});
    if (!prefix.empty()) {
        for (const std::string& message : check(prefix, true)) {
            errors.invalid(path.child("generateName"), std::string(prefix), message);
        }
    }
    const std::string_view name = name_of(object);
    if (name.empty()) {
        errors.required(path.child("name"), "name or generateName is required");
    } else {
        for (const std::string& message : check(name, false)) errors.invalid(path.child("name"), std::string(name), message);
    }
    if (kind.namespaced) {
        const std::string_view space = namespace_of(object);
        if (space.empty()) {
            errors.required(path.child("namespace"), "");
        } else {
            for (const std::string& message : check_dns1123_label(space)) {
                errors.invalid(path.child("namespace"), std::string(space), message);
            }
        }
    }
    if (int_at(metadata, {"generation"}) < 0) {
        errors.invalid(path.child("generation"), metadata["generation"], "must be greater than or equal to 0");
    }
    check_common(kind, metadata, path, errors);
}

void keep_server_metadata(Json& object, const Json& old) {
    Json& metadata = ensure(object, {"metadata"});
    const Json& before = object_at(old, {"metadata"});
    const auto keep = [&](const char* member) {
        if (const Json* value = find(before, member)) {
            metadata[member] = *value;
        } else {
            erase(metadata, member);
        }
    };
    const auto keep_if_absent = [&](const char* member) {
        if (find(metadata, member) == nullptr) keep(member);
    };
    // The real server overwrites a changed creationTimestamp rather than refusing it.
    keep("creationTimestamp");
    keep("generation");
    erase(metadata, "selfLink");
    keep_if_absent("name");
    keep_if_absent("namespace");
    keep_if_absent("uid");
    if (find(before, "deletionTimestamp") != nullptr) keep("deletionTimestamp");
    keep_if_absent("deletionGracePeriodSeconds");
}

void validate_metadata_update(const KindSpec& kind, const Json& object, const Json& old, FieldErrors& errors) {
    const FieldPath path("metadata");
    const Json& metadata = object_at(object, {"metadata"});
    const Json& before = object_at(old, {"metadata"});
    const Json* deletion = find(metadata, "deletionTimestamp");
    const Json* old_deletion = find(before, "deletionTimestamp");
    if (deletion != nullptr && old_deletion == nullptr) {
        errors.invalid(path.child("deletionTimestamp"), *deletion, immutable);
    }
    const Json* grace = find(metadata, "deletionGracePeriodSeconds");
    const Json* old_grace = find(before, "deletionGracePeriodSeconds");
    if (grace != nullptr && (old_grace == nullptr || *grace != *old_grace)) {
        errors.invalid(path.child("deletionGracePeriodSeconds"), *grace, only_by_deletion);
    }
    if (old_deletion != nullptr) {
        Json added = Json::array();
        const Json& known = array_at(before, {"finalizers"});
        for (const Json& finalizer : array_at(metadata, {"finalizers"})) {
            if (std::find(known.begin(), known.end(), finalizer) == known.end()) added.push_back(finalizer);
        }
        if (!added.empty()) {
            std::string list;
            for (const Json& finalizer : added) {
                list += list.empty() ? "" : ", ";
                list += "\"" + (finalizer.is_string() ? finalizer.get<std::string>() : std::string()) + "\"";
            }
            errors.forbidden(path.child("finalizers"),
                             "no new finalizers can be added if the object is being deleted, found new finalizers []string{" +
                                 list + "}");
        }
    }
    for (const char* member : {"name", "namespace", "uid"}) {
        const std::string_view now = string_at(metadata, {member});
        if (now != string_at(before, {member})) errors.invalid(path.child(member), std::string(now), immutable);
    }
    check_common(kind, metadata, path, errors);
}

}  // namespace kubemu::api
