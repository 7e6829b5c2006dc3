// What kube-controller-manager can do itself with volumes, since it knows hostPath and NFS, and what it leaves to
// others (pkg/volume, k8s.io/csi-translation-lib).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/values/object.h"

namespace kubemu::controllers {

// Who provisions for a class with this provisioner.
struct Provisioner {
    std::string name;   // of the external provisioner: of its CSI driver, where an in-tree plugin has moved there
    std::string error;  // why nobody does
};
Provisioner find_provisioner(const std::string& provisioner);

// What the reclaim policy Delete makes of a volume.
struct Deletion {
    bool external = false;  // somebody else deletes it
    std::string error;
};
Deletion find_deletion(const api::Json& volume);

// The pod that scrubs a volume, with its deadline; nothing when nobody knows how.
std::optional<api::Json> recycler_pod(const api::Json& volume);

}  // namespace kubemu::controllers
