// Checks of labels, annotations, owners and finalizers.
#include "api/kinds/object_meta.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/values/names.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

// A pointer prints as an address, which is nobody's business.
std::string printed_flag(const Json& reference, std::string_view member) {
    return find(reference, member) == nullptr ? "(*bool)(nil)" : "(*bool)(0xc000000000)";
}

GoText printed_owner(const Json& reference) {
    const auto text = [&](std::string_view member) { return go_quote(string_at(reference, {member})); };
    return {"v1.OwnerReference{APIVersion:" + text("apiVersion") + ", Kind:" + text("kind") + ", Name:" + text("name") +
            ", UID:" + text("uid") + ", Controller:" + printed_flag(reference, "controller") +
            ", BlockOwnerDeletion:" + printed_flag(reference, "blockOwnerDeletion") + "}"};
}

GoText printed_owners(const Json& references) {
    std::string out = "[]v1.OwnerReference{";
    for (const Json& reference : references) out += (out.back() == '{' ? "" : ", ") + printed_owner(reference).text;
    return {out + "}"};
}

}  // namespace

void validate_owner_references(const Json& metadata, const FieldPath& path, FieldErrors& errors) {
    const Json& references = array_at(metadata, {"ownerReferences"});
    const Json* controller = nullptr;
    for (const Json& reference : references) {
        const std::string_view api_version = string_at(reference, {"apiVersion"});
        // Nothing but "version" and "group/version" says a version.
        const auto parts = split(api_version, '/');
        if (parts.size() > 2 || parts.back().empty()) errors.invalid(path.child("apiVersion"), std::string(api_version), "version must not be empty");
        if (string_at(reference, {"kind"}).empty()) errors.invalid(path.child("kind"), "", "kind must not be empty");
        if (string_at(reference, {"name"}).empty()) errors.invalid(path.child("name"), "", "name must not be empty");
        if (string_at(reference, {"uid"}).empty()) errors.invalid(path.child("uid"), "", "uid must not be empty");
        if (api_version == "v1" && string_at(reference, {"kind"}) == "Event") {
            errors.invalid(path, printed_owner(reference), "/v1, Kind=Event is disallowed from being an owner");
        }
        if (!bool_at(reference, {"controller"})) continue;
        if (controller != nullptr) {
            const auto named = [](const Json& owner) {
                return std::string(string_at(owner, {"kind"})) + "/" + std::string(string_at(owner, {"name"}));
            };
            errors.invalid(path, printed_owners(references),
                           "Only one reference can have Controller set to true. Found \"true\" in references for " +
                               named(*controller) + " and " + named(reference));
        }
        controller = &reference;
    }
}

void validate_finalizers(const Json& metadata, const FieldPath& path, FieldErrors& errors) {
    const Json& finalizers = array_at(metadata, {"finalizers"});
    bool orphan = false;
    bool foreground = false;
    for (const Json& finalizer : finalizers) {
        if (!finalizer.is_string()) continue;
        const std::string& name = finalizer.get_ref<const std::string&>();
        for (const std::string& message : check_qualified_name(name)) errors.invalid(path, finalizer, message);
        orphan = orphan || name == "orphan";
        foreground = foreground || name == "foregroundDeletion";
    }
    if (orphan && foreground) errors.invalid(path, finalizers, "finalizer orphan and foregroundDeletion cannot be both set");
}

void validate_object_meta(const Json& metadata, const FieldPath& path, FieldErrors& errors) {
    if (const Json* labels = find(metadata, "labels")) validate_labels(*labels, path.child("labels"), errors);
    if (const Json* annotations = find(metadata, "annotations")) {
        validate_annotations(*annotations, path.child("annotations"), errors);
    }
    validate_owner_references(metadata, path.child("ownerReferences"), errors);
    validate_finalizers(metadata, path.child("finalizers"), errors);
}

void validate_embedded_metadata(const Json& metadata, const FieldPath& path, FieldErrors& errors) {
    for (const auto& [member, prefix] : {std::pair{"generateName", true}, std::pair{"name", false}}) {
        const std::string name(string_at(metadata, {member}));
        if (name.empty()) continue;
        for (const std::string& message : check_path_segment(name, prefix)) errors.invalid(path.child(member), name, message);
    }
    if (const std::string space(string_at(metadata, {"namespace"})); !space.empty()) {
        for (const std::string& message : check_dns1123_label(space)) errors.invalid(path.child("namespace"), space, message);
    }
    if (int_at(metadata, {"generation"}) < 0) {
        errors.invalid(path.child("generation"), metadata["generation"], "must be greater than or equal to 0");
    }
    validate_object_meta(metadata, path, errors);
}

}  // namespace kubemu::api
