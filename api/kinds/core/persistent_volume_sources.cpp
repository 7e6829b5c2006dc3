// The sources of PersistentVolumes and what each must say (kubernetes pkg/apis/core/validation).
#include <algorithm>
#include <nlohmann/json.hpp>
#include <re2/re2.h>

#include "api/kinds/core/persistent_volume.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/validation.h"
#include "api/values/names.h"
#include "api/values/text.h"

namespace kubemu::api::kinds {
namespace {

using Check = void (*)(const Json& source, std::string_view volume, const FieldPath& path, FieldErrors& errors);

void require(const Json& source, std::initializer_list<const char*> members, const FieldPath& path,
             FieldErrors& errors) {
    for (const char* member : members) {
        const Json* value = find(source, member);
        if (value == nullptr || value->empty() || *value == "") errors.required(path.child(member), "");
    }
}

// A reference to a Secret must name it, and its namespace when `namespaced`.
void require_secret(const Json& source, bool namespaced, const FieldPath& path, FieldErrors& errors) {
    const Json* secret = find(source, "secretRef");
    if (secret == nullptr) return;
    require(*secret, {"name"}, path.child("secretRef"), errors);
    if (namespaced) require(*secret, {"namespace"}, path.child("secretRef"), errors);
}

void check_host_path(const Json& source, std::string_view, const FieldPath& path, FieldErrors& errors) {
    const std::string_view target = string_at(source, {"path"});
    if (target.empty()) return errors.required(path.child("path"), "");
    validate_path_no_backsteps(target, path.child("path"), errors);
    validate_optional_enum(
        string_at(source, {"type"}),
        {"", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"},
        path.child("type"), errors);
}

void check_disk(const Json& source, const char* id, const FieldPath& path, FieldErrors& errors) {
    require(source, {id}, path, errors);
    const std::int64_t partition = int_at(source, {"partition"});
    if (partition < 0 || partition > 255)
        errors.invalid(path.child("partition"), partition, "must be between 1 and 255, inclusive");
}

void check_gce(const Json& source, std::string_view, const FieldPath& path, FieldErrors& errors) {
    check_disk(source, "pdName", path, errors);
}
void check_aws(const Json& source, std::string_view, const FieldPath& path, FieldErrors& errors) {
    check_disk(source, "volumeID", path, errors);
}

void check_glusterfs(const Json& source, std::string_view, const FieldPath& path, FieldErrors& errors) {
    require(source, {"endpoints", "path"}, path, errors);
    if (find(source, "endpointsNamespace") == nullptr) return;
    const FieldPath at = path.child("endpointsNamespace");
    const std::string_view space = string_at(source, {"endpointsNamespace"});
    if (space.empty()) {
        errors.invalid(at, "", "if the endpointnamespace is set, it must be a valid namespace name");
    } else {
        validate_dns1123_label(space, at, errors);
    }
}

void check_flocker(const Json& source, std::string_view, const FieldPath& path, FieldErrors& errors) {
    const std::string name(string_at(source, {"datasetName"}));
    const bool has_uuid = !string_at(source, {"datasetUUID"}).empty();
    if (name.empty() && !has_uuid) errors.required(path, "one of datasetName and datasetUUID is required");
    if (!name.empty() && has_uuid)
        errors.invalid(path, "resource", "datasetName and datasetUUID can not be specified simultaneously");
    if (name.find('/') != std::string::npos) errors.invalid(path.child("datasetName"), name, "must not contain '/'");
}

void check_nfs(const Json& source, std::string_view, const FieldPath& path, FieldErrors& errors) {
    require(source, {"server", "path"}, path, errors);
    const std::string target(string_at(source, {"path"}));
    if (!target.starts_with('/')) errors.invalid(path.child("path"), target, "must be an absolute path");
}

void check_rbd(const Json& source, std::string_view, const FieldPath& path, FieldErrors& errors) {
    require(source, {"monitors", "image"}, path, errors);
}

void check_quobyte(const Json& source, std::string_view, const FieldPath& path, FieldErrors& errors) {
    const std::string registry(string_at(source, {"registry"}));
    const FieldPath at = path.child("registry");
    if (registry.empty()) {
        errors.required(at, "must be a host:port pair or multiple pairs separated by commas");
    } else if (const std::string tenant(string_at(source, {"tenant"})); tenant.size() > 64) {
        errors.required(path.child("tenant"), "must be a UUID and may not exceed a length of 64 characters");
    } else {
        for (const std::string_view pair : split(registry, ',')) {
            const std::size_t colon = pair.rfind(':');
            if (colon == std::string_view::npos) {
                errors.invalid(at, registry, "must be a host:port pair or multiple pairs separated by commas");
            }
        }
    }
    require(source, {"volume"}, path, errors);
}

void check_ceph(const Json& source, std::string_view, const FieldPath& path, FieldErrors& errors) {
    require(source, {"monitors"}, path, errors);
}

void check_initiator(const std::string& name, const FieldPath& path, FieldErrors& errors) {
    static const re2::RE2 iqn(R"(iqn\.\d{4}-\d{2}\.([[:alnum:]-.]+)(:[^,;*&$|\s]+)$)"), eui(R"(^eui.[[:alnum:]]{16}$)"),
        naa(R"(^naa.[[:alnum:]]{32}$)");
    const bool fits = (name.starts_with("iqn") && re2::RE2::PartialMatch(name, iqn)) ||
                      (name.starts_with("eui") && re2::RE2::PartialMatch(name, eui)) ||
                      (name.starts_with("naa") && re2::RE2::PartialMatch(name, naa));
    if (!fits) errors.invalid(path, name, "must be valid format");
}

void check_iscsi(const Json& source, std::string_view volume, const FieldPath& path, FieldErrors& errors) {
    require(source, {"targetPortal"}, path, errors);
    const std::string portal(string_at(source, {"targetPortal"}));
    const bool has_initiator = find(source, "initiatorName") != nullptr;
    if (has_initiator && volume.size() + 1 + portal.size() > 64) {
        errors.invalid(
            path.child("targetportal"), portal,
            "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName "
            "is specified.");
    }
    const std::string iqn(string_at(source, {"iqn"}));
    if (iqn.empty()) {
        errors.required(path.child("iqn"), "");
    } else {
        check_initiator(iqn, path.child("iqn"), errors);
    }
    validate_range(int_at(source, {"lun"}), 0, 255, path.child("lun"), errors);
    const bool chap = bool_at(source, {"chapAuthDiscovery"}) || bool_at(source, {"chapAuthSession"});
    if (chap && find(source, "secretRef") == nullptr) errors.required(path.child("secretRef"), "");
    require_secret(source, false, path, errors);
    if (has_initiator)
        check_initiator(std::string(string_at(source, {"initiatorName"})), path.child("initiatorname"), errors);
}

void check_cinder(const Json& source, std::string_view, const FieldPath& path, FieldErrors& errors) {
    require(source, {"volumeID"}, path, errors);
    require_secret(source, true, path, errors);
}

void check_fc(const Json& source, std::string_view, const FieldPath& path, FieldErrors& errors) {
    const Json& names = array_at(source, {"targetWWNs"});
    const bool has_ids = !array_at(source, {"wwids"}).empty();
    const FieldPath at = path.child("targetWWNs");
    if (names.empty() && !has_ids) errors.required(at, "must specify either targetWWNs or wwids, but not both");
    if (!names.empty() && has_ids) {
        errors.invalid(at, go_strings("[]string", &names), "targetWWNs and wwids can not be specified simultaneously");
    }
    if (names.empty()) return;
    if (find(source, "lun") == nullptr)
        return errors.required(path.child("lun"), "lun is required if targetWWNs is specified");
    validate_range(int_at(source, {"lun"}), 0, 255, path.child("lun"), errors);
}

void check_flex(const Json& source, std::string_view, const FieldPath& path, FieldErrors& errors) {
    require(source, {"driver"}, path, errors);
    for (const auto& [key, value] : object_at(source, {"options"}).items()) {
        const std::string space = "." + lower(key.substr(0, key.find('/')));
        if (space.ends_with(".kubernetes.io") || space.ends_with(".k8s.io")) {
            errors.invalid(path.child("options").key(key), key, "kubernetes.io and k8s.io namespaces are reserved");
        }
    }
}

void check_azure_file(const Json& source, std::string_view, const FieldPath& path, FieldErrors& errors) {
    require(source, {"secretName", "shareName"}, path, errors);
    if (find(source, "secretNamespace") != nullptr) require(source, {"secretNamespace"}, path, errors);
}

void check_azure_disk(const Json& source, std::string_view, const FieldPath& path, FieldErrors& errors) {
    require(source, {"diskName", "diskURI"}, path, errors);
    validate_given_enum(source, "cachingMode", {"None", "ReadOnly", "ReadWrite"}, path, errors);
    const std::string_view kind = string_at(source, {"kind"}), uri = string_at(source, {"diskURI"});
    validate_given_enum(source, "kind", {"Dedicated", "Managed", "Shared"}, path, errors);
    if (kind == "Managed" && !uri.starts_with("/subscriptions/")) {
        errors.not_supported(
            path.child("diskURI"), uri,
            {"/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"});
    } else if (!kind.empty() && kind != "Managed" && !uri.starts_with("https://")) {
        errors.not_supported(path.child("diskURI"), uri,
                             {"https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"});
    }
}

void check_vsphere(const Json& source, std::string_view, const FieldPath& path, FieldErrors& errors) {
    require(source, {"volumePath"}, path, errors);
}
void check_photon(const Json& source, std::string_view, const FieldPath& path, FieldErrors& errors) {
    require(source, {"pdID"}, path, errors);
}
void check_portworx(const Json& source, std::string_view, const FieldPath& path, FieldErrors& errors) {
    require(source, {"volumeID"}, path, errors);
}
void check_scale_io(const Json& source, std::string_view, const FieldPath& path, FieldErrors& errors) {
    require(source, {"gateway", "system", "volumeName"}, path, errors);
}

void check_local(const Json& source, std::string_view, const FieldPath& path, FieldErrors& errors) {
    const std::string_view target = string_at(source, {"path"});
    if (!validate_required(target, path.child("path"), errors)) return;
    validate_path_no_backsteps(target, path.child("path"), errors);
}

void check_storage_os(const Json& source, std::string_view, const FieldPath& path, FieldErrors& errors) {
    const std::string_view name = string_at(source, {"volumeName"}), space = string_at(source, {"volumeNamespace"});
    if (validate_required(name, path.child("volumeName"), errors))
        validate_dns1123_label(name, path.child("volumeName"), errors);
    if (!space.empty()) validate_dns1123_label(space, path.child("volumeNamespace"), errors);
    require_secret(source, true, path, errors);
}

void check_csi(const Json& source, std::string_view, const FieldPath& path, FieldErrors& errors) {
    validate_csi_driver_name(string_at(source, {"driver"}), path.child("driver"), errors);
    require(source, {"volumeHandle"}, path, errors);
    for (const char* member :
         {"controllerPublishSecretRef", "controllerExpandSecretRef", "nodePublishSecretRef", "nodeExpandSecretRef"}) {
        const Json* secret = find(source, member);
        if (secret == nullptr) continue;
        const FieldPath at = path.child(member);
        const std::string_view name = string_at(*secret, {"name"}), space = string_at(*secret, {"namespace"});
        if (validate_required(name, at.child("name"), errors))
            validate_dns1123_subdomain(name, at.child("name"), errors);
        if (validate_required(space, at.child("namespace"), errors))
            validate_dns1123_label(space, at.child("namespace"), errors);
    }
}

struct Source {
    std::string_view member;
    std::string_view shown;  // the name in complaints about what is in it
    Check check;
};

constexpr Source sources[] = {{"hostPath", "hostPath", check_host_path},
                              {"gcePersistentDisk", "persistentDisk", check_gce},
                              {"awsElasticBlockStore", "awsElasticBlockStore", check_aws},
                              {"glusterfs", "glusterfs", check_glusterfs},
                              {"flocker", "flocker", check_flocker},
                              {"nfs", "nfs", check_nfs},
                              {"rbd", "rbd", check_rbd},
                              {"quobyte", "quobyte", check_quobyte},
                              {"cephfs", "cephfs", check_ceph},
                              {"iscsi", "iscsi", check_iscsi},
                              {"cinder", "cinder", check_cinder},
                              {"fc", "fc", check_fc},
                              {"flexVolume", "flexVolume", check_flex},
                              {"azureFile", "azureFile", check_azure_file},
                              {"vsphereVolume", "vsphereVolume", check_vsphere},
                              {"photonPersistentDisk", "photonPersistentDisk", check_photon},
                              {"portworxVolume", "portworxVolume", check_portworx},
                              {"azureDisk", "azureDisk", check_azure_disk},
                              {"scaleIO", "scaleIO", check_scale_io},
                              {"local", "local", check_local},
                              {"storageos", "storageos", check_storage_os},
                              {"csi", "csi", check_csi}};

}  // namespace

bool is_volume_source(std::string_view member) {
    return std::any_of(std::begin(sources), std::end(sources),
                       [&](const Source& source) { return source.member == member; });
}

void validate_csi_driver_name(std::string_view name, const FieldPath& path, FieldErrors& errors) {
    constexpr std::size_t name_bytes_max = 63;
    if (!validate_required(name, path, errors)) return;
    if (name.size() > name_bytes_max) errors.too_long(path, name_bytes_max);
    add_invalid(check_dns1123_subdomain(lower(name)), path, name, errors);
}

void validate_volume_sources(const Json& spec, std::string_view name, const FieldPath& path, FieldErrors& errors) {
    bool found = false;
    for (const Source& source : sources) {
        const Json* given = find(spec, source.member);
        if (given == nullptr) continue;
        if (found && source.member != "flexVolume") {
            // Its Go name has another case than the field.
            errors.forbidden(path.child(source.member == "cephfs" ? "cephFS" : source.member),
                             "may not specify more than 1 volume type");
            continue;
        }
        found = true;
        source.check(*given, name, path.child(source.shown), errors);
        if (source.member == "local" && find(spec, "nodeAffinity") == nullptr) {
            errors.required(path.child("nodeAffinity"), "Local volume requires node affinity");
        }
    }
    if (!found) errors.required(path, "must specify a volume type");
}

}  // namespace kubemu::api::kinds
