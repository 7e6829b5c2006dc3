// Names, messages and the recycler's template.
#include "controllers/persistent_volume/plugins.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/values/quantity.h"

namespace kubemu::controllers {
namespace {

using api::Json;

constexpr std::string_view in_tree = "kubernetes.io/";
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> moved_to_csi{{
    {"kubernetes.io/aws-ebs", "ebs.csi.aws.com"},
    {"kubernetes.io/azure-disk", "disk.csi.azure.com"},
    {"kubernetes.io/azure-file", "file.csi.azure.com"},
    {"kubernetes.io/cinder", "cinder.csi.openstack.org"},
    {"kubernetes.io/gce-pd", "pd.csi.storage.gke.io"},
    {"kubernetes.io/portworx-volume", "pxd.portworx.com"},
    {"kubernetes.io/vsphere-volume", "csi.vsphere.vmware.com"},
}};

constexpr std::int64_t gibibyte = std::int64_t{1} << 30;
constexpr std::int64_t seconds_per_gibibyte = 30;
constexpr std::int64_t host_path_seconds_min = 60, nfs_seconds_min = 300;

bool is_in_tree(std::string_view name) {
    return name.substr(0, in_tree.size()) == in_tree;
}

std::string no_plugin(const std::string& name) {
    return "no volume plugin matched name: " + name;
}

}  // namespace

Provisioner find_provisioner(const std::string& provisioner) {
    for (const auto& [plugin, driver] : moved_to_csi) {
        if (provisioner == plugin) return {std::string(driver), {}};
    }
    if (!is_in_tree(provisioner)) return {provisioner, {}};
    if (provisioner == "kubernetes.io/host-path") {
        return {provisioner,
                "Failed to create provisioner: provisioning in volume plugin \"kubernetes.io/host-path\" is disabled"};
    }
    if (provisioner == "kubernetes.io/nfs") return {provisioner, "no provisionable volume plugin matched"};
    return {provisioner, no_plugin(provisioner)};
}

Deletion find_deletion(const Json& volume) {
    const Json& annotations = api::object_at(volume, {"metadata", "annotations"});
    const std::string provisioner(api::string_at(annotations, {"pv.kubernetes.io/provisioned-by"}));
    const bool host_path_plugin = provisioner == "kubernetes.io/host-path";
    if (!provisioner.empty() && !host_path_plugin) {
        if (!is_in_tree(provisioner)) return {true, {}};
        return {false,
                provisioner == "kubernetes.io/nfs" ? "no deletable volume plugin matched" : no_plugin(provisioner)};
    }
    if (annotations.contains("pv.kubernetes.io/migrated-to") || api::find(volume, {"spec", "csi"}) != nullptr)
        return {true, {}};
    if (const Json* host_path = api::find(volume, {"spec", "hostPath"})) {
        const std::string path(api::string_at(*host_path, {"path"}));
        const std::size_t found = path.find("/tmp/");
        if (found != std::string::npos && found + 5 < path.size()) return {};
        return {false, "host_path deleter only supports /tmp/.+ but received provided " + path};
    }
    const bool nfs = api::find(volume, {"spec", "nfs"}) != nullptr;
    return {false, "error getting deleter volume plugin for volume \"" + std::string(api::name_of(volume)) +
                       "\": " + (nfs ? "no deletable volume plugin matched" : "no volume plugin matched")};
}

std::optional<Json> recycler_pod(const Json& volume) {
    Json source;
    std::int64_t seconds_min = host_path_seconds_min;
    if (const Json* host_path = api::find(volume, {"spec", "hostPath"})) {
        source["hostPath"]["path"] = api::string_at(*host_path, {"path"});
    } else if (const Json* nfs = api::find(volume, {"spec", "nfs"})) {
        source["nfs"] = {{"server", api::string_at(*nfs, {"server"})}, {"path", api::string_at(*nfs, {"path"})}};
        seconds_min = nfs_seconds_min;
    } else {
        return std::nullopt;
    }
    source["name"] = "vol";
    const auto size = api::Quantity::parse(api::string_at(volume, {"spec", "capacity", "storage"}));
    const std::int64_t seconds = (size ? size->value() / gibibyte : 0) * seconds_per_gibibyte;
    constexpr const char* scrub =
        "test -e /scrub && find /scrub -mindepth 1 -delete && test -z \"$(ls -A /scrub)\" || exit 1";
    const Json container = {{"name", "pv-recycler"},
                            {"image", "registry.k8s.io/build-image/debian-base:bookworm-v1.0.6"},
                            {"command", Json::array({"/bin/sh"})},
                            {"args", Json::array({"-c", scrub})},
                            {"volumeMounts", Json::array({{{"name", "vol"}, {"mountPath", "/scrub"}}})}};
    return Json{{"metadata", {{"name", "recycler-for-" + std::string(api::name_of(volume))}, {"namespace", "default"}}},
                {"spec",
                 {{"activeDeadlineSeconds", std::max(seconds, seconds_min)},
                  {"restartPolicy", "Never"},
                  {"volumes", Json::array({source})},
                  {"containers", Json::array({container})}}}};
}

}  // namespace kubemu::controllers
