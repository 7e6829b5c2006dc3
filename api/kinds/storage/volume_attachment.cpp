// Rules of VolumeAttachments: one source, and a spec that does not change.
#include <nlohmann/json.hpp>

#include "api/kinds/core/persistent_volume.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/rules.h"
#include "api/kinds/validation.h"
#include "api/values/text.h"

namespace kubemu::api::kinds {
namespace {

constexpr std::size_t metadata_bytes_max = 256 * 1024;
constexpr std::size_t message_bytes_max = 1024;

void validate_source(const Json& spec, FieldErrors& errors) {
    const FieldPath path("spec.source");
    const Json* inline_spec = find(spec, {"source", "inlineVolumeSpec"});
    const Json* name = find(spec, {"source", "persistentVolumeName"});
    constexpr const char* one = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
    if (inline_spec == nullptr && name == nullptr) return errors.required(path, one);
    if (inline_spec != nullptr && name != nullptr) return errors.forbidden(path, one);
    if (name == nullptr) return validate_volume_spec(*inline_spec, {}, true, path.child("inlineVolumeSpec"), errors);
    if (*name == "") errors.required(path.child("persistentVolumeName"), "must specify non empty persistentVolumeName");
}

void validate_status(const Json& object, FieldErrors& errors) {
    const FieldPath path("status");
    std::size_t bytes = 0;
    for (const auto& [key, value] : object_at(object, {"status", "attachmentMetadata"}).items()) {
        bytes += key.size() + (value.is_string() ? value.get_ref<const std::string&>().size() : 0);
    }
    if (bytes > metadata_bytes_max) errors.too_long(path.child("attachmentMetadata"), metadata_bytes_max);
    for (const char* member : {"attachError", "detachError"}) {
        if (string_at(object, {"status", member, "message"}).size() > message_bytes_max) {
            errors.too_long(path.child(member).child("message"), metadata_bytes_max);
        }
        if (const std::int64_t code = int_at(object, {"status", member, "errorCode"}); code < 0) {
            errors.invalid(path.child(member).child("errorCode"), code, "must be between 0 and 2147483647, inclusive");
        }
    }
}

void validate(const Json& object, const HookContext&, FieldErrors& errors) {
    const Json& spec = object_at(object, {"spec"});
    validate_csi_driver_name(string_at(spec, {"attacher"}), FieldPath("spec.attacher"), errors);
    validate_source(spec, errors);
    validate_dns1123_subdomain(string_at(spec, {"nodeName"}), FieldPath("spec.nodeName"), errors);
    validate_status(object, errors);
    if (find(spec, {"source", "persistentVolumeName"}) != nullptr) {
        validate_dns1123_subdomain(string_at(spec, {"source", "persistentVolumeName"}),
                                   FieldPath("spec.source.persistentVolumeName"), errors);
    }
}

GoText spec_text(const Json& spec) {
    const Json& source = object_at(spec, {"source"});
    return {"storage.VolumeAttachmentSpec{Attacher:" + go_quote(string_at(spec, {"attacher"})) +
            ", Source:storage.VolumeAttachmentSource{PersistentVolumeName:" +
            go_value("*string", find(source, "persistentVolumeName")).text +
            ", InlineVolumeSpec:" + go_value("*core.PersistentVolumeSpec", find(source, "inlineVolumeSpec")).text +
            "}, NodeName:" + go_quote(string_at(spec, {"nodeName"})) + "}"};
}

void validate_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    validate_immutable(find(object, "spec"), find(old, "spec"), spec_text(object_at(object, {"spec"})),
                       FieldPath("spec"), errors);
}

void validate_status_update(const Json& object, const Json&, const HookContext& context, FieldErrors& errors) {
    validate(object, context, errors);
}

void prepare_for_create(Json& object, const HookContext&) {
    object["status"] = {{"attached", false}};
}

void prepare_for_update(Json& object, const Json& old, const HookContext&) {
    if (const Json* status = find(old, "status")) object["status"] = *status;
}

void prepare_for_status_update(Json& object, const Json& old, const HookContext&) {
    if (const Json* spec = find(old, "spec")) object["spec"] = *spec;
}

}  // namespace

extern const KindRules volume_attachment_rules;
const KindRules volume_attachment_rules{.prepare_for_create = prepare_for_create,
                                        .prepare_for_update = prepare_for_update,
                                        .prepare_for_status_update = prepare_for_status_update,
                                        .validate = validate,
                                        .validate_update = validate_update,
                                        .validate_status_update = validate_status_update};

}  // namespace kubemu::api::kinds
