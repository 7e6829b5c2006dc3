// Volumes of a pod: a name and one source each.
#include <nlohmann/json.hpp>

#include "api/kinds/core/pod_checks.h"
#include "api/kinds/validation.h"
#include "api/values/text.h"

namespace kubemu::api::pods {
namespace {

std::string_view text(const Json& object, std::string_view member) { return string_at(object, {member}); }

void validate_source(const Json& volume, const PodContext& context, const FieldPath& path, FieldErrors& errors) {
    int count = 0;
    const std::string_view name = text(volume, "name");
    for (const VolumeSource& source : volume_sources()) {
        const Json* value = find(volume, source.member.name);
        if (value == nullptr) continue;
        if (++count > 1) {
            errors.forbidden(path.child(source.second.empty() ? source.member.name : source.second),
                             "may not specify more than 1 volume type");
        } else {
            if (source.member.name == "image" && context.is_pod && text(*value, "reference").empty()) {
                errors.required(path.child("image").child("reference"), "");
            }
            source.member.validate(*value, path.child(source.path.empty() ? source.member.name : source.path), errors);
        }
        if (source.member.name == "iscsi" && find(*value, "initiatorName") != nullptr &&
            name.size() + 1 + text(*value, "targetPortal").size() > 64) {
            errors.invalid(path.child("name"), std::string(name),
                           "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if "
                           "iscsi.initiatorName is specified.");
        }
        if (count > 1) continue;
        if (source.member.name == "ephemeral" && context.metadata != nullptr && !name.empty()) {
            const std::string_view pod = text(*context.metadata, "name");
            const std::string claim_name = std::string(pod) + "-" + std::string(name);
            if (pod.empty()) continue;
            for (const std::string& message : check_dns1123_subdomain(claim_name)) {
                errors.invalid(path.child("name"), std::string(name), "PVC name " + go_quote(claim_name) + ": " + message);
            }
        }
    }
    if (count == 0) errors.required(path, "must specify a volume type");
}

// The claims that ephemeral volumes will make must not be named as existing ones.
bool names_made_claim(const Json& volume, const PodContext& context) {
    const std::string_view wanted = string_at(volume, {"persistentVolumeClaim", "claimName"});
    if (wanted.empty() || context.metadata == nullptr) return false;
    const std::string_view pod = text(*context.metadata, "name");
    if (pod.empty() || !wanted.starts_with(pod)) return false;
    for (const Json& other : array_at(context.spec, {"volumes"})) {
        if (find(other, "ephemeral") == nullptr) continue;
        if (wanted == std::string(pod) + "-" + std::string(text(other, "name"))) return true;
    }
    return false;
}

}  // namespace

void validate_volumes(PodContext& context, const FieldPath& path, FieldErrors& errors) {
    const Json& volumes = array_at(context.spec, {"volumes"});
    context.volumes.reserve(volumes.size());
    std::size_t i = 0;
    for (const Json& volume : volumes) {
        const FieldPath at = path.index(i++);
        const std::string_view name = text(volume, "name");
        const std::size_t before = errors.all().size();
        validate_source(volume, context, at, errors);
        if (validate_required(name, at.child("name"), errors)) validate_dns1123_label(name, at.child("name"), errors);
        if (context.volume(name) != nullptr) errors.duplicate(at.child("name"), std::string(name));
        if (errors.all().size() == before) context.volumes.emplace_back(name, &volume);
        if (names_made_claim(volume, context)) {
            errors.invalid(at.child("persistentVolumeClaim").child("claimName"),
                           std::string(string_at(volume, {"persistentVolumeClaim", "claimName"})),
                           "must not reference a PVC that gets created for an ephemeral volume");
        }
    }
}

}  // namespace kubemu::api::pods
