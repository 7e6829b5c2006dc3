// Metadata of new and changed objects.
#include "api/metadata.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "api/kinds/object_meta.h"
#include "api/kinds/own_names.h"
#include "api/kinds/validation.h"
#include "api/values/names.h"
#include "api/values/text.h"
#include "api/values/time.h"

namespace kubemu::api {
namespace {

constexpr std::string_view immutable = "field is immutable";
constexpr std::string_view only_by_deletion = "field is immutable; may only be changed via deletion";

// Names without a domain are for finalizers of Kubernetes' own. Some kinds are checked by what custom resources are too.
bool knows_standard_finalizers(const KindSpec& kind) {
    static constexpr std::string_view groups[] = {"apiextensions.k8s.io", "apiregistration.k8s.io",
                                                  "admissionregistration.k8s.io"};
    static constexpr std::string_view resources[] = {"leases.coordination.k8s.io", "poddisruptionbudgets.policy",
                                                     "runtimeclasses.node.k8s.io"};
    if (kind.resource == "events" && kind.group.empty()) return false;
    return kind.custom == nullptr && std::find(std::begin(groups), std::end(groups), kind.group) == std::end(groups) &&
           std::find(std::begin(resources), std::end(resources), kind.resource) == std::end(resources);
}

void validate_common(const Json& metadata, const FieldPath& path, FieldErrors& errors) {
    if (const Json* labels = find(metadata, "labels")) validate_labels(*labels, path.child("labels"), errors);
    if (const Json* annotations = find(metadata, "annotations")) {
        validate_annotations(*annotations, path.child("annotations"), errors);
    }
    validate_owner_references(metadata, path.child("ownerReferences"), errors);
}

// ValidateObjectMeta of apimachinery with the name rule of a kind, or the one that all have in common.
template <class Check>
void validate_whole(const KindSpec& kind, const Json& object, const Check& check, FieldErrors& errors) {
    const FieldPath path("metadata");
    const Json& metadata = object_at(object, {"metadata"});
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
    validate_common(metadata, path, errors);
    validate_finalizers(metadata, path.child("finalizers"), errors);
}

// Go's time.Time by %v.
GoText printed_time(const Json& time) {
    std::string text = time.is_string() ? time.get<std::string>() : std::string();
    if (text.size() == 20) text = text.substr(0, 10) + " " + text.substr(11, 8) + " +0000 UTC";
    return {text};
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

void dedupe_owner_references(Json& object, bool admitted, std::vector<std::string>* warnings) {
    Json* references = find(object, {"metadata", "ownerReferences"});
    if (references == nullptr || !references->is_array() || references->size() < 2) return;
    Json kept = Json::array();
    std::string duplicates;
    bool any = false;
    for (const Json& reference : *references) {
        if (std::find(kept.begin(), kept.end(), reference) == kept.end()) {
            kept.push_back(reference);
            continue;
        }
        duplicates += (any ? ", " : "") + std::string(string_at(reference, {"uid"}));
        any = true;
    }
    if (!any) return;
    *references = std::move(kept);
    if (warnings == nullptr) return;
    warnings->push_back(std::string(".metadata.ownerReferences contains duplicate entries") +
                        (admitted ? " after mutating admission happens" : "") +
                        "; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; "
                        "please fix your requests; duplicate UID(s) observed: " +
                        duplicates);
}

void wipe_server_metadata(Json& object) {
    Json& metadata = ensure(object, {"metadata"});
    for (const char* member : {"selfLink", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"}) {
        erase(metadata, member);
    }
}

void fill_new_metadata(const KindSpec& kind, Json& object, Time now, Random& random) {
    Json& metadata = ensure(object, {"metadata"});
    metadata["creationTimestamp"] = format_time(now);
    metadata["uid"] = random.uuid();
    if (kind.has_generation) metadata["generation"] = 1;
}

void validate_standard_finalizers(const KindSpec& kind, const Json& object, FieldErrors& errors) {
    const FieldPath path("metadata.finalizers");
    const Json& metadata = object_at(object, {"metadata"});
    if (!knows_standard_finalizers(kind)) return;
    std::size_t index = 0;
    for (const Json& finalizer : array_at(metadata, {"finalizers"})) {
        const FieldPath at = path.index(index++);
        if (!finalizer.is_string()) continue;
        const std::string& name = finalizer.get_ref<const std::string&>();
        if (name.find('/') == std::string::npos && !is_standard_finalizer(name)) {
            errors.invalid(at, finalizer, "name is neither a standard finalizer name nor is it fully qualified");
        }
    }
}

void validate_metadata(const KindSpec& kind, const Json& object, FieldErrors& errors) {
    // Their strategies look at the rest alone.
    if (kind.resource == "poddisruptionbudgets.policy" || (kind.resource == "events" && kind.group.empty())) return;
    const KindRules* rules = rules_of(kind);
    const auto rule = rules->validate_name != nullptr ? rules->validate_name : check_name_as_subdomain;
    const auto check = [&](std::string_view name, bool prefix) {
        Messages messages = rule(name, prefix);
        const Messages own = check_own_name(kind, object, name, messages);
        messages.insert(messages.end(), own.begin(), own.end());
        return messages;
    };
    validate_whole(kind, object, check, errors);
    validate_standard_finalizers(kind, object, errors);
}

void validate_any_metadata(const KindSpec& kind, const Json& object, FieldErrors& errors) {
    validate_whole(kind, object, check_path_segment, errors);
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
    keep_if_absent("namespace");
    keep_if_absent("uid");
    if (find(before, "deletionTimestamp") != nullptr) keep("deletionTimestamp");
    keep_if_absent("deletionGracePeriodSeconds");
}

void validate_metadata_change(const Json& object, const Json& old, FieldErrors& errors) {
    const FieldPath path("metadata");
    const Json& metadata = object_at(object, {"metadata"});
    const Json& before = object_at(old, {"metadata"});
    const Json* old_deletion = find(before, "deletionTimestamp");
    if (old_deletion != nullptr) {
        const Json& known = array_at(before, {"finalizers"});
        std::set<std::string> added;
        for (const Json& finalizer : array_at(metadata, {"finalizers"})) {
            const bool there = std::find(known.begin(), known.end(), finalizer) != known.end();
            if (!there && finalizer.is_string()) added.insert(finalizer.get<std::string>());
        }
        std::string list;
        for (const std::string& finalizer : added) list += (list.empty() ? "" : ", ") + go_quote(finalizer);
        if (!added.empty()) {
            errors.forbidden(path.child("finalizers"),
                             "no new finalizers can be added if the object is being deleted, found new finalizers []string{" +
                                 list + "}");
        }
    }
    for (const char* member : {"name", "namespace", "uid"}) {
        const std::string_view now = string_at(metadata, {member});
        if (now != string_at(before, {member})) errors.invalid(path.child(member), std::string(now), immutable);
    }
    const Json* deletion = find(metadata, "deletionTimestamp");
    if (deletion != nullptr && old_deletion == nullptr) {
        errors.invalid(path.child("deletionTimestamp"), printed_time(*deletion), immutable);
    }
    const Json* grace = find(metadata, "deletionGracePeriodSeconds");
    const Json* old_grace = find(before, "deletionGracePeriodSeconds");
    if (grace != nullptr && (old_grace == nullptr || *grace != *old_grace)) {
        errors.invalid(path.child("deletionGracePeriodSeconds"), *grace, only_by_deletion);
    }
    validate_common(metadata, path, errors);
}

}  // namespace kubemu::api
