# The group versions of an old release: what an old kubectl asks for and what its manifests name; gone in newer ones.
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral --controllers '*,-scheduler,-kubelet' --kubernetes-version v1.20.2

beta() {
  cat << EOF
apiVersion: extensions/v1beta1
kind: Ingress
metadata: {name: old}
spec: {backend: {serviceName: web, servicePort: 80}}
---
apiVersion: policy/v1beta1
kind: PodDisruptionBudget
metadata: {name: old}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: rbac.authorization.k8s.io/v1beta1
kind: Role
metadata: {name: old}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: autoscaling/v2beta2
kind: HorizontalPodAutoscaler
metadata: {name: old}
spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
---
apiVersion: batch/v1beta1
kind: CronJob
metadata: {name: old}
spec: {schedule: "0 0 1 1 *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox}]}}}}}
EOF
}
beta | k apply -f - 2> "$work/warnings"
if [ "$(client_minor)" -ge 20 ]; then
  grep -q 'extensions/v1beta1 Ingress is deprecated in v1.14+, unavailable in v1.22+; use networking.k8s.io/v1 Ingress' "$work/warnings"
fi
lacks 'CronJob is deprecated' cat "$work/warnings"

# A definition of v1beta1: parts of all versions beside them, and fields that no schema knows.
k create --validate=false -f - << 'EOF'
apiVersion: apiextensions.k8s.io/v1beta1
kind: CustomResourceDefinition
metadata: {name: foos.example.com}
spec:
  group: example.com
  version: v1
  names: {plural: foos, kind: Foo}
  additionalPrinterColumns: [{name: Size, type: integer, JSONPath: .spec.size}]
EOF
k get --raw /apis/apiextensions.k8s.io/v1/customresourcedefinitions/foos.example.com | grep -q '"jsonPath":".spec.size"'
k get --raw /apis/apiextensions.k8s.io/v1beta1/customresourcedefinitions/foos.example.com | grep -q '"preserveUnknownFields":true'
eventually k get --raw /apis/example.com/v1/foos
echo '{"apiVersion":"example.com/v1","kind":"Foo","metadata":{"name":"f"},"spec":{"size":3,"deep":{"a":[1]}}}' |
  k create --validate=false -f -
matches '^f +3' k get foos
k get --raw /apis/example.com/v1/namespaces/default/foos/f | grep -q '"deep":{"a":\[1\]}'

# One object, seen through each of its versions.
k get --raw /apis/networking.k8s.io/v1/namespaces/default/ingresses/old | grep -q '"defaultBackend":{"service":{"name":"web","port":{"number":80}}}'
k get --raw /apis/networking.k8s.io/v1beta1/namespaces/default/ingresses/old | grep -q '"backend":{"serviceName":"web","servicePort":80}'
k get --raw /apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers/old | grep -q '"targetCPUUtilizationPercentage":80'
k get --raw /apis/autoscaling/v2beta1/namespaces/default/horizontalpodautoscalers/old | grep -q '"targetAverageUtilization":80'
matches '^old +<none> +\* ' k get ingress
matches '^old +1 +N/A' k get pdb.v1beta1.policy
refused 'NotFound|could not find' k get --raw /apis/policy/v1
refused 'NotFound|could not find' k get --raw /apis/autoscaling/v2
stop_kubemu

start_kubemu --ephemeral --controllers '*,-scheduler,-kubelet' --kubernetes-version v1.28.0
for gone in extensions/v1beta1 policy/v1beta1 rbac.authorization.k8s.io/v1beta1 autoscaling/v2beta2 networking.k8s.io/v1beta1 \
    apiextensions.k8s.io/v1beta1; do
  refused 'NotFound|could not find' k get --raw "/apis/$gone"
done
k get --raw /apis/flowcontrol.apiserver.k8s.io | grep -q v1beta3
k get --raw /apis/batch | grep -q v1beta1
[[ $(k get --raw /version) != *emulation* ]]
