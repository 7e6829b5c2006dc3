// What each source of a volume needs, and the order in which the real server asks for them.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/kinds/core/persistent_volume_claim.h"
#include "api/kinds/core/pod_checks.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/validation.h"
#include "api/values/text.h"

namespace kubemu::api::pods {
namespace {

constexpr std::string_view partition_message = "must be between 1 and 255, inclusive";

std::string_view text(const Json& object, std::string_view member) { return string_at(object, {member}); }

void require(const Json& object, std::string_view member, const FieldPath& path, FieldErrors& errors) {
    if (text(object, member).empty()) errors.required(path.child(member), "");
}

void require_list(const Json& object, std::string_view member, const FieldPath& path, FieldErrors& errors) {
    if (array_at(object, {member}).empty()) errors.required(path.child(member), "");
}

void require_secret_name(const Json& object, const FieldPath& path, FieldErrors& errors) {
    const Json* secret = find(object, "secretRef");
    if (secret != nullptr) require(*secret, "name", path.child("secretRef"), errors);
}

void check_partition(const Json& disk, const FieldPath& path, FieldErrors& errors) {
    const std::int64_t partition = int_at(disk, {"partition"});
    if (partition < 0 || partition > 255) errors.invalid(path.child("partition"), partition, partition_message);
}

void empty_dir(const Json& source, const FieldPath& path, FieldErrors& errors) {
    if (quantity_of(find(source, "sizeLimit")).is_negative()) {
        errors.forbidden(path.child("sizeLimit"), "SizeLimit field must be a valid resource quantity");
    }
}

void host_path(const Json& source, const FieldPath& path, FieldErrors& errors) {
    if (text(source, "path").empty()) return errors.required(path.child("path"), "");
    validate_path_no_backsteps(text(source, "path"), path.child("path"), errors);
    const std::string_view type = text(source, "type");
    if (type.empty()) return;
    validate_optional_enum(
        type, {"", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"},
        path.child("type"), errors);
}

void git_repo(const Json& source, const FieldPath& path, FieldErrors& errors) {
    require(source, "repository", path, errors);
    validate_local_descending_path(text(source, "directory"), path.child("directory"), errors);
}

void gce_disk(const Json& source, const FieldPath& path, FieldErrors& errors) {
    require(source, "pdName", path, errors);
    check_partition(source, path, errors);
}

void aws_disk(const Json& source, const FieldPath& path, FieldErrors& errors) {
    require(source, "volumeID", path, errors);
    check_partition(source, path, errors);
}

void items(const Json& source, const FieldPath& path, FieldErrors& errors) {
    validate_file_mode(source, "defaultMode", path, errors);
    std::size_t i = 0;
    for (const Json& item : array_at(source, {"items"})) validate_key_to_path(item, path.child("items").index(i++), errors);
}

void secret(const Json& source, const FieldPath& path, FieldErrors& errors) {
    require(source, "secretName", path, errors);
    items(source, path, errors);
}

void config_map(const Json& source, const FieldPath& path, FieldErrors& errors) {
    require(source, "name", path, errors);
    items(source, path, errors);
}

void nfs(const Json& source, const FieldPath& path, FieldErrors& errors) {
    require(source, "server", path, errors);
    require(source, "path", path, errors);
    const std::string_view where = text(source, "path");
    if (!where.starts_with('/')) errors.invalid(path.child("path"), std::string(where), "must be an absolute path");
}

bool alphanumeric(std::string_view text, std::string_view also) {
    return std::all_of(text.begin(), text.end(), [also](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               also.find(c) != std::string_view::npos;
    });
}

// iqn.yyyy-mm.reversed.domain:anything, eui. and 16 or naa. and 32 letters and digits.
bool valid_initiator(std::string_view name) {
    if (name.starts_with("eui")) return name.size() == 20 && alphanumeric(name.substr(4), "");
    if (name.starts_with("naa")) return name.size() == 36 && alphanumeric(name.substr(4), "");
    constexpr std::string_view digits = "0123456789";
    if (name.size() < 12 || name[3] != '.' || name[8] != '-' || name[11] != '.') return false;
    if (name.substr(4, 4).find_first_not_of(digits) != std::string_view::npos) return false;
    if (name.substr(9, 2).find_first_not_of(digits) != std::string_view::npos) return false;
    const std::string_view rest = name.substr(12);
    const std::size_t colon = rest.find(':');
    if (colon == std::string_view::npos || colon == 0 || colon + 1 == rest.size()) return false;
    return alphanumeric(rest.substr(0, colon), "-.") &&
           rest.substr(colon + 1).find_first_of(",;*&$| \t\n\r\f\v") == std::string_view::npos;
}

void check_initiator(std::string_view name, const FieldPath& path, FieldErrors& errors) {
    const bool known = name.starts_with("iqn") || name.starts_with("eui") || name.starts_with("naa");
    if (!known) {
        errors.invalid(path, std::string(name), "must be valid format starting with iqn, eui, or naa");
    } else if (!valid_initiator(name)) {
        errors.invalid(path, std::string(name), "must be valid format");
    }
}

void iscsi(const Json& source, const FieldPath& path, FieldErrors& errors) {
    require(source, "targetPortal", path, errors);
    const std::string_view iqn = text(source, "iqn");
    if (iqn.empty()) errors.required(path.child("iqn"), "");
    else check_initiator(iqn, path.child("iqn"), errors);
    validate_range(int_at(source, {"lun"}), 0, 255, path.child("lun"), errors);
    const bool authenticated = bool_at(source, {"chapAuthDiscovery"}) || bool_at(source, {"chapAuthSession"});
    if (authenticated && find(source, "secretRef") == nullptr) errors.required(path.child("secretRef"), "");
    if (find(source, "initiatorName") != nullptr) {
        check_initiator(text(source, "initiatorName"), path.child("initiatorname"), errors);
    }
}

void glusterfs(const Json& source, const FieldPath& path, FieldErrors& errors) {
    require(source, "endpoints", path, errors);
    require(source, "path", path, errors);
}

void flocker(const Json& source, const FieldPath& path, FieldErrors& errors) {
    const std::string_view name = text(source, "datasetName"), uuid = text(source, "datasetUUID");
    if (name.empty() && uuid.empty()) errors.required(path, "one of datasetName and datasetUUID is required");
    if (!name.empty() && !uuid.empty()) {
        errors.invalid(path, "resource", "datasetName and datasetUUID can not be specified simultaneously");
    }
    if (name.find('/') != std::string_view::npos) {
        errors.invalid(path.child("datasetName"), std::string(name), "must not contain '/'");
    }
}

void claim(const Json& source, const FieldPath& path, FieldErrors& errors) { require(source, "claimName", path, errors); }

void rbd(const Json& source, const FieldPath& path, FieldErrors& errors) {
    require_list(source, "monitors", path, errors);
    require(source, "image", path, errors);
}

void cinder(const Json& source, const FieldPath& path, FieldErrors& errors) {
    require(source, "volumeID", path, errors);
    require_secret_name(source, path, errors);
}

void ceph_fs(const Json& source, const FieldPath& path, FieldErrors& errors) { require_list(source, "monitors", path, errors); }

bool host_and_port(std::string_view pair) {
    const std::size_t colon = pair.rfind(':');
    if (colon == std::string_view::npos) return false;
    const std::string_view host = pair.substr(0, colon);
    if (host.starts_with('[')) return host.ends_with(']') && host.find(']') + 1 == host.size();
    return host.find(':') == std::string_view::npos && pair.find_first_of("[]") == std::string_view::npos;
}

void quobyte(const Json& source, const FieldPath& path, FieldErrors& errors) {
    constexpr std::string_view pairs = "must be a host:port pair or multiple pairs separated by commas";
    const std::string_view registry = text(source, "registry");
    if (registry.empty()) {
        errors.required(path.child("registry"), pairs);
    } else if (text(source, "tenant").size() >= 65) {
        errors.required(path.child("tenant"), "must be a UUID and may not exceed a length of 64 characters");
    } else {
        for (const std::string_view pair : split(registry, ',')) {
            if (!host_and_port(pair)) errors.invalid(path.child("registry"), std::string(registry), pairs);
        }
    }
    require(source, "volume", path, errors);
}

void fibre_channel(const Json& source, const FieldPath& path, FieldErrors& errors) {
    const Json& names = array_at(source, {"targetWWNs"});
    const Json& ids = array_at(source, {"wwids"});
    const FieldPath at = path.child("targetWWNs");
    if (names.empty() && ids.empty()) errors.required(at, "must specify either targetWWNs or wwids, but not both");
    if (!names.empty() && !ids.empty()) {
        errors.invalid(at, go_strings("[]string", &names), "targetWWNs and wwids can not be specified simultaneously");
    }
    if (names.empty()) return;
    const Json* lun = find(source, "lun");
    if (lun == nullptr) errors.required(path.child("lun"), "lun is required if targetWWNs is specified");
    else validate_range(int_at(source, {"lun"}), 0, 255, path.child("lun"), errors);
}

void flex_volume(const Json& source, const FieldPath& path, FieldErrors& errors) {
    require(source, "driver", path, errors);
    for (const auto& [key, value] : object_at(source, {"options"}).items()) {
        const std::string space = "." + lower(std::string_view(key).substr(0, key.find('/')));
        if (space.ends_with(".kubernetes.io") || space.ends_with(".k8s.io")) {
            errors.invalid(path.child("options").key(key), key, "kubernetes.io and k8s.io namespaces are reserved");
        }
    }
}

void azure_file(const Json& source, const FieldPath& path, FieldErrors& errors) {
    require(source, "secretName", path, errors);
    require(source, "shareName", path, errors);
}

void azure_disk(const Json& source, const FieldPath& path, FieldErrors& errors) {
    require(source, "diskName", path, errors);
    require(source, "diskURI", path, errors);
    const std::string_view kind = text(source, "kind"), uri = text(source, "diskURI");
    validate_given_enum(source, "cachingMode", {"None", "ReadOnly", "ReadWrite"}, path, errors);
    validate_given_enum(source, "kind", {"Dedicated", "Managed", "Shared"}, path, errors);
    if (kind == "Managed" && !uri.starts_with("/subscriptions/")) {
        errors.not_supported(path.child("diskURI"), uri,
                             {"/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"});
    }
    if (find(source, "kind") != nullptr && kind != "Managed" && !uri.starts_with("https://")) {
        errors.not_supported(path.child("diskURI"), uri,
                             {"https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"});
    }
}

void vsphere(const Json& source, const FieldPath& path, FieldErrors& errors) { require(source, "volumePath", path, errors); }
void photon(const Json& source, const FieldPath& path, FieldErrors& errors) { require(source, "pdID", path, errors); }
void portworx(const Json& source, const FieldPath& path, FieldErrors& errors) { require(source, "volumeID", path, errors); }

void storage_os(const Json& source, const FieldPath& path, FieldErrors& errors) {
    const std::string_view name = text(source, "volumeName"), space = text(source, "volumeNamespace");
    if (validate_required(name, path.child("volumeName"), errors)) {
        validate_dns1123_label(name, path.child("volumeName"), errors);
    }
    if (!space.empty()) validate_dns1123_label(space, path.child("volumeNamespace"), errors);
    require_secret_name(source, path, errors);
}

void scale_io(const Json& source, const FieldPath& path, FieldErrors& errors) {
    for (const char* member : {"gateway", "system", "volumeName"}) require(source, member, path, errors);
}

void csi(const Json& source, const FieldPath& path, FieldErrors& errors) {
    const std::string_view driver = text(source, "driver");
    if (validate_required(driver, path.child("driver"), errors)) {
        if (driver.size() > 63) errors.too_long(path.child("driver"), 63);
        add_invalid(check_dns1123_subdomain(lower(driver)), path.child("driver"), driver, errors);
    }
    const Json* secret_ref = find(source, "nodePublishSecretRef");
    if (secret_ref == nullptr) return;
    const std::string_view name = text(*secret_ref, "name");
    if (name.empty()) errors.required(path.child("nodePublishSecretRef").child("name"), "");
    else validate_dns1123_subdomain(name, path.child("name"), errors);
}

}  // namespace

void validate_template_metadata(const Json& metadata, const FieldPath& path, FieldErrors& errors) {
    struct Member {
        std::string_view json, shown;
    };
    constexpr Member others[] = {{"name", "name"},
                                 {"generateName", "generateName"},
                                 {"namespace", "namespace"},
                                 {"selfLink", "selfLink"},
                                 {"uid", "uID"},
                                 {"resourceVersion", "resourceVersion"},
                                 {"generation", "generation"},
                                 {"creationTimestamp", "creationTimestamp"},
                                 {"deletionTimestamp", "deletionTimestamp"},
                                 {"deletionGracePeriodSeconds", "deletionGracePeriodSeconds"},
                                 {"ownerReferences", "ownerReferences"},
                                 {"finalizers", "finalizers"},
                                 {"managedFields", "managedFields"}};
    if (const Json* annotations = find(metadata, "annotations")) {
        validate_annotations(*annotations, path.child("annotations"), errors);
    }
    if (const Json* labels = find(metadata, "labels")) validate_labels(*labels, path.child("labels"), errors);
    for (const Member& member : others) {
        if (find(metadata, member.json) != nullptr) errors.forbidden(path.child(member.shown), "cannot be set");
    }
}

namespace {

void ephemeral(const Json& source, const FieldPath& path, FieldErrors& errors) {
    const Json* claim_template = find(source, "volumeClaimTemplate");
    if (claim_template == nullptr) return errors.required(path.child("volumeClaimTemplate"), "");
    const FieldPath at = path.child("volumeClaimTemplate");
    validate_template_metadata(object_at(*claim_template, {"metadata"}), at.child("metadata"), errors);
    kinds::validate_claim_spec(object_at(*claim_template, {"spec"}), at.child("spec"), errors);
}

void image(const Json& source, const FieldPath& path, FieldErrors& errors) {
    validate_enum(text(source, "pullPolicy"), {"Always", "IfNotPresent", "Never"}, path.child("pullPolicy"), errors);
}

constexpr VolumeSource sources[] = {
    {{"emptyDir", empty_dir}},
    {{"hostPath", host_path}},
    {{"gitRepo", git_repo}},
    {{"gcePersistentDisk", gce_disk}, "persistentDisk"},
    {{"awsElasticBlockStore", aws_disk}},
    {{"secret", secret}},
    {{"nfs", nfs}},
    {{"iscsi", iscsi}},
    {{"glusterfs", glusterfs}},
    {{"flocker", flocker}},
    {{"persistentVolumeClaim", claim}},
    {{"rbd", rbd}},
    {{"cinder", cinder}},
    {{"cephfs", ceph_fs}, "cephfs", "cephFS"},
    {{"quobyte", quobyte}},
    {{"downwardAPI", validate_downward_api_volume}, "downwardAPI", "downwarAPI"},
    {{"fc", fibre_channel}},
    {{"flexVolume", flex_volume}},
    {{"configMap", config_map}},
    {{"azureFile", azure_file}},
    {{"vsphereVolume", vsphere}},
    {{"photonPersistentDisk", photon}},
    {{"portworxVolume", portworx}},
    {{"azureDisk", azure_disk}},
    {{"storageos", storage_os}},
    {{"projected", validate_projected_volume}},
    {{"scaleIO", scale_io}},
    {{"csi", csi}},
    {{"ephemeral", ephemeral}},
    {{"image", image}},
};

}  // namespace

std::span<const VolumeSource> volume_sources() { return sources; }

void validate_file_mode(const Json& object, std::string_view member, const FieldPath& parent, FieldErrors& errors) {
    const Json* mode = find(object, member);
    if (mode == nullptr || !mode->is_number()) return;
    const auto value = mode->get<std::int64_t>();
    if (value < 0 || value > 0777) {
        errors.invalid(parent.child(member), *mode, "must be a number between 0 and 0777 (octal), both inclusive");
    }
}

void validate_key_to_path(const Json& item, const FieldPath& path, FieldErrors& errors) {
    require(item, "key", path, errors);
    require(item, "path", path, errors);
    validate_local_non_reserved_path(text(item, "path"), path.child("path"), errors);
    validate_file_mode(item, "mode", path, errors);
}

}  // namespace kubemu::api::pods
