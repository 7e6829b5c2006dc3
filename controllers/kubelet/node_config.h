// The nodes of a cluster from a YAML file (kubemu serve --node-config):
//
//   nodes:
//   - name: control-plane
//     labels: {node-role.kubernetes.io/control-plane: ""}
//     taints: [{key: node-role.kubernetes.io/control-plane, effect: NoSchedule}]
//   - count: 30
//     name: worker-{}                  # worker-1 to worker-30; without {} the number is appended
//     labels:
//       topology.kubernetes.io/zone: [a, b, c]   # a list is dealt out to the nodes of the group in turn
//       disk: ssd
//     annotations: {kubemu.io/cpu-usage: "2"}
//     taints: [{key: dedicated, value: batch, effect: NoSchedule}]
//     capacity: {cpu: "64", memory: 256Gi, pods: "110", example.com/gpu: "8"}
//     allocatable: {cpu: "63"}         # what is not said is as in capacity
//     unschedulable: false
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/values/object.h"
#include "storage/base/result.h"

namespace kubemu::controllers::kubelet {

// Node objects as their kubelets will register them, but for what all kubelets add. The error is a sentence
// that names the place ("nodes[1].taints: expected a list").
Result<std::vector<api::Json>, std::string> read_node_config(std::string_view yaml);

}  // namespace kubemu::controllers::kubelet
