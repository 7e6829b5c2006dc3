// VolumeUse: how many volumes of each CSI driver a node has, and may have (plugins/nodevolumelimits/csi.go).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/client.h"
#include "api/informer.h"
#include "controllers/runtime/manager.h"
#include "controllers/scheduler/pod_info.h"

namespace kubemu::controllers::scheduler {

// "driver/handle" and its driver. A claim without a volume stands for the volume that its class's driver will make.
using DriverVolumes = std::map<std::string, std::string>;

class VolumeUse {
  public:
    VolumeUse(Manager& manager, const api::Client& reader);

    DriverVolumes of(const PodInfo& pod) const;
    // Why the node cannot take these volumes as well when `removed` are gone; empty when it can.
    std::string refusal(const NodeInfo& node, DriverVolumes asked, const std::vector<PodInfoPtr>& removed) const;

  private:
    DriverVolumes attached_to(const std::string& node) const;
    bool lacks_driver(const std::string& driver, const api::Json& csi_node) const;

    api::Informer& claims_;
    api::Informer& volumes_;
    api::Informer& classes_;
    api::Informer& csi_nodes_;
    api::Informer& csi_drivers_;
    api::Informer& attachments_;
    const api::Client& reader_;
};

}  // namespace kubemu::controllers::scheduler
