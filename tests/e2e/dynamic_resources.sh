# Devices by claims: slices and classes that a user makes are enough; pods of a Deployment get one each, wait when there
# are no more, and give them back.
# kubectl: one
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral --pod-startup-latency 0s

k apply -f - << 'X'
apiVersion: resource.k8s.io/v1
kind: DeviceClass
metadata: {name: gpu}
spec:
  extendedResourceName: example.com/gpu
  selectors: [{cel: {expression: "device.driver == 'gpu.example.com'"}}]
---
apiVersion: resource.k8s.io/v1
kind: ResourceSlice
metadata: {name: gpus}
spec:
  driver: gpu.example.com
  nodeName: kubemu-worker
  pool: {name: kubemu-worker, generation: 1, resourceSliceCount: 1}
  devices:
  - {name: gpu-0, attributes: {memory: {int: 40}}}
  - {name: gpu-1, attributes: {memory: {int: 80}}}
---
apiVersion: resource.k8s.io/v1
kind: ResourceClaimTemplate
metadata: {name: one-gpu}
spec: {spec: {devices: {requests: [{name: gpu, exactly: {deviceClassName: gpu}}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: train}
spec:
  replicas: 3
  selector: {matchLabels: {app: train}}
  template:
    metadata: {labels: {app: train}}
    spec:
      resourceClaims: [{name: gpu, resourceClaimTemplateName: one-gpu}]
      containers: [{name: c, image: nginx, resources: {claims: [{name: gpu}]}}]
X
# What claims have been given, and what is left of them.
devices() { k get resourceclaim -o jsonpath='{range .items[*]}{range .status.allocation.devices.results[*]}{.device}{"\n"}{end}{end}' | sort | tr '\n' ' '; }
no_claims() { [ -z "$(k get resourceclaim -o name)" ]; }
eventually matches '^gpu-0 gpu-1 $' devices
eventually matches '^2$' k get deployment train -o jsonpath='{.status.readyReplicas}'
matches '^kubemu-worker kubemu-worker $' k get pod -l app=train -o jsonpath='{range .items[?(@.spec.nodeName)]}{.spec.nodeName} {end}'
eventually matches '0/3 nodes are available: 1 node\(s\) had untolerated taint\(s\), 2 cannot allocate all claims. still not schedulable, preemption: ' k get events

# One that goes makes room for the one that waits; all that go leave nothing.
k delete "$(k get pod -l app=train -o name --field-selector status.phase=Running | sed -n 1p)" --now
eventually matches '^2$' k get deployment train -o jsonpath='{.status.readyReplicas}'
k scale deployment train --replicas 0
eventually no_claims

# A claim by selector, shared, and protected while it is used.
k apply -f - << 'X'
apiVersion: resource.k8s.io/v1
kind: ResourceClaim
metadata: {name: large}
spec: {devices: {requests: [{name: gpu, exactly: {deviceClassName: gpu, selectors: [{cel: {expression: "device.attributes['gpu.example.com'].memory > 40"}}]}}]}}
---
apiVersion: v1
kind: Pod
metadata: {name: a}
spec: {resourceClaims: [{name: gpu, resourceClaimName: large}], containers: [{name: c, image: nginx, resources: {claims: [{name: gpu}]}}]}
---
apiVersion: v1
kind: Pod
metadata: {name: b}
spec: {resourceClaims: [{name: gpu, resourceClaimName: large}], containers: [{name: c, image: nginx}]}
X
k wait --for=condition=Ready pod/a pod/b --timeout=20s
matches '^gpu-1 a b$' k get resourceclaim large -o jsonpath='{.status.allocation.devices.results[0].device} {.status.reservedFor[*].name}'
matches '^claim:gpu gpu.example.com/kubemu-worker/gpu-1$' k get pod a -o jsonpath='{.status.containerStatuses[0].allocatedResourcesStatus[0].name} {.status.containerStatuses[0].allocatedResourcesStatus[0].resources[0].resourceID}'
k delete resourceclaim large --wait=false
matches 'allocated,deleted,reserved|deleted,allocated,reserved' k get resourceclaim large
k delete pod a b --now
eventually no_claims

# A pod that asks for the resource by its name, as one would of a device plugin, gets a claim with a device.
k apply -f - << 'X'
apiVersion: v1
kind: Pod
metadata: {name: plain}
spec: {containers: [{name: c, image: nginx, resources: {limits: {example.com/gpu: 2}}}]}
X
k wait --for=condition=Ready pod/plain --timeout=20s
matches '^gpu-0 gpu-1 $' devices

# A pod that somebody else gives a node waits there: its claim is not reserved for it.
k create -f - << 'X'
apiVersion: resource.k8s.io/v1
kind: ResourceClaim
metadata: {name: other}
spec: {devices: {requests: [{name: gpu, exactly: {deviceClassName: gpu}}]}}
---
apiVersion: v1
kind: Pod
metadata: {name: elsewhere}
spec: {nodeName: kubemu-worker2, resourceClaims: [{name: gpu, resourceClaimName: other}], containers: [{name: c, image: nginx}]}
X
eventually matches 'FailedPrepareDynamicResources .*Failed to prepare dynamic resources: prepare dynamic resources: pod elsewhere .* is not allowed to use ResourceClaim other ' k get events
matches 'ContainerCreating' k get pod elsewhere
k delete pod plain elsewhere --now

# Pods leave a device that is tainted.
k create -f - << 'X'
apiVersion: v1
kind: Pod
metadata: {name: patient}
spec: {resourceClaims: [{name: gpu, resourceClaimName: other}], containers: [{name: c, image: nginx}]}
X
k wait --for=condition=Ready pod/patient --timeout=20s
k patch resourceslice gpus --type=json -p '[{"op":"add","path":"/spec/devices/0/taints","value":[{"key":"broken","effect":"NoExecute"}]}]'
eventually refused 'pods "patient" not found' k get pod patient
matches 'DeviceTaintManagerEviction .*Marking for deletion' k get events
