// The plugins of kube-scheduler's default profile that can refuse a pod, and sets of them
// (pkg/scheduler/framework/plugins/names).
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace kubemu::controllers::scheduler {

enum class Plugin : std::uint8_t {
    scheduling_gates,
    node_unschedulable,
    node_name,
    taint_toleration,
    node_affinity,
    node_ports,
    node_resources_fit,
    volume_restrictions,
    node_volume_limits,
    volume_binding,
    volume_zone,
    pod_topology_spread,
    inter_pod_affinity,
    dynamic_resources,
};
inline constexpr std::size_t plugin_count = 14;

constexpr std::string_view name_of(Plugin plugin) {
    constexpr std::string_view names[plugin_count] = {
        "SchedulingGates",    "NodeUnschedulable", "NodeName",      "TaintToleration", "NodeAffinity",      "NodePorts",        "NodeResourcesFit",
        "VolumeRestrictions", "NodeVolumeLimits",  "VolumeBinding", "VolumeZone",      "PodTopologySpread", "InterPodAffinity", "DynamicResources"};
    return names[static_cast<std::size_t>(plugin)];
}

class Plugins {
  public:
    constexpr Plugins() = default;
    constexpr Plugins(std::initializer_list<Plugin> plugins) {
        for (const Plugin plugin : plugins) insert(plugin);
    }
    constexpr void insert(Plugin plugin) { bits_ = bits_ | bit(plugin); }
    constexpr bool has(Plugin plugin) const { return (bits_ & bit(plugin)) != 0; }
    constexpr bool meets(Plugins other) const { return (bits_ & other.bits_) != 0; }
    constexpr bool empty() const { return bits_ == 0; }

  private:
    static constexpr std::uint32_t bit(Plugin plugin) { return std::uint32_t{1} << static_cast<unsigned>(plugin); }
    std::uint32_t bits_ = 0;
};

}  // namespace kubemu::controllers::scheduler
