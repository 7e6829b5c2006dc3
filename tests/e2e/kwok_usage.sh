# KWOK's ResourceUsages say what kubectl top shows, and its Metrics are served for Prometheus.
# kubectl: one
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral --pod-startup-latency 0 --nodes 2

definition() { # PLURAL KIND SCOPE
  cat <<YAML
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: $1.kwok.x-k8s.io, annotations: {api-approved.kubernetes.io: "unapproved, for a test"}}
spec:
  group: kwok.x-k8s.io
  scope: $3
  names: {plural: $1, singular: ${2,,}, kind: $2}
  versions:
  - name: v1alpha1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
---
YAML
}
{ definition clusterresourceusages ClusterResourceUsage Cluster
  definition resourceusages ResourceUsage Namespaced
  definition metrics Metric Cluster; } | k apply -f -
k wait --for=condition=Established crd --all --timeout=30s
k apply -f - <<'YAML'
apiVersion: kwok.x-k8s.io/v1alpha1
kind: ClusterResourceUsage
metadata: {name: usage-from-annotation}
spec:
  usages:
  - usage:
      cpu:
        expression: |
          "kwok.x-k8s.io/usage-cpu" in pod.metadata.annotations
          ? Quantity(pod.metadata.annotations["kwok.x-k8s.io/usage-cpu"])
          : Quantity("7m")
      memory: {value: 3Mi}
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: ResourceUsage
metadata: {name: own}
spec: {usages: [{usage: {cpu: {value: 1500m}, memory: {expression: 'Quantity("1Mi") * 5'}}}]}
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Metric
metadata: {name: metrics-resource}
spec:
  path: /metrics/nodes/{nodeName}/metrics/resource
  metrics:
  - {name: scrape_error, dimension: node, help: no errors, kind: gauge, value: "0"}
  - name: container_memory_working_set_bytes
    dimension: container
    kind: gauge
    labels:
    - {name: container, value: container.name}
    - {name: pod, value: pod.metadata.name}
    value: pod.Usage("memory", container.name)
YAML
k run said --image nginx --annotations kwok.x-k8s.io/usage-cpu=250m
k run unsaid --image nginx
k run own --image nginx
k wait --for=condition=Ready pod --all
matches '^said +250m +3Mi' k top pods
matches '^unsaid +7m +3Mi' k top pods
matches '^own +1500m +5Mi' k top pods
matches '^container_memory_working_set_bytes\{container="own",pod="own"\} 5.24288e\+06$' k get --raw /metrics/nodes/kubemu-worker/metrics/resource
matches '^scrape_error 0$' k get --raw /metrics/nodes/kubemu-worker/metrics/resource
refused 'NotFound' k get --raw /metrics/nodes/kubemu-worker/elsewhere
