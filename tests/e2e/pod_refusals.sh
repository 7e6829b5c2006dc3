# Pods and their controllers that are refused or warned of: what people read at the prompt.
# kubectl: one
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral --controllers '*,-scheduler,-kubelet'

pod() { printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: %s}\nspec: %s\n' "$1" "$2" | k apply --validate=false -f -; }

refused 'The Pod "p" is invalid: spec.containers\[0\].volumeMounts\[0\].name: Not found: "v"' \
  pod p '{containers: [{name: a, image: i, volumeMounts: [{name: v, mountPath: /v}]}]}'
refused 'spec.containers\[0\].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1' \
  pod p '{containers: [{name: a, image: i, resources: {requests: {cpu: 2}, limits: {cpu: 1}}}]}'
matches 'Warning: spec.nodeSelector\[beta.kubernetes.io/os\]: deprecated since v1.14; use "kubernetes.io/os" instead' \
  pod p '{nodeSelector: {beta.kubernetes.io/os: linux}, containers: [{name: a, image: i}]}'
refused 'pod updates may not change fields other than `spec.containers\[\*\].image`' \
  k patch pod p -p '{"spec":{"nodeName":"n"}}'
refused '\+ .*NodeName: "n",' k patch pod p -p '{"spec":{"nodeName":"n"}}'
k set image pod/p a=j
[ "$(k get pod p -o jsonpath='{.spec.containers[0].image}')" = j ]

k create deployment web --image=nginx
refused 'spec.selector: Invalid value: .*: field is immutable' \
  k patch deployment web --type=merge -p '{"spec":{"selector":{"matchLabels":{"app":"other"}},"template":{"metadata":{"labels":{"app":"other"}}}}}'
k create job once --image=busybox -- true
refused 'spec.template: Invalid value: .*: field is immutable' k set image job/once once=other
refused 'spec.completions: Invalid value: 5: field is immutable' k patch job once -p '{"spec":{"completions":5}}'
# Of batch/v1: an old kubectl would create one of v1beta1, whose words are others.
cat > "$work/cron.yaml" <<'END'
apiVersion: batch/v1
kind: CronJob
metadata: {name: tick}
spec:
  schedule: x
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: tick, image: busybox}]}}}}
END
refused 'spec.schedule: Invalid value: "x": expected exactly 5 fields, found 1: \[x\]' k create -f "$work/cron.yaml"

# Nobody runs the pod, so there is nobody to ask.
refused 'container zz is not valid for pod p' k logs p -c zz
refused 'pod p does not have a host assigned' k exec p -- true
