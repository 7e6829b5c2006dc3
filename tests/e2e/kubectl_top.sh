# kubectl top shows what nodes, pods and containers use.
# kubectl: ends
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral --pod-startup-latency 0 --nodes 2

matches 'v1beta1.metrics.k8s.io +Local +True' k get apiservices
eventually matches '^kubemu-worker +[0-9]+m +[0-9]+% +[0-9]+Mi +[0-9]+%' k top nodes
k apply -f - <<'YAML'
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}, annotations: {kubemu.io/cpu-usage: 250m, kubemu.io/memory-usage: 64Mi}}
spec:
  containers:
  - {name: main, image: nginx, resources: {requests: {cpu: 400m}}}
  - {name: side, image: nginx, resources: {requests: {cpu: 100m}}}
---
apiVersion: v1
kind: Pod
metadata: {name: quiet, labels: {app: quiet}}
spec:
  containers:
  - {name: main, image: nginx, resources: {requests: {cpu: 100m, memory: 100Mi}}}
YAML
k wait --for=condition=Ready pod --all
matches '^web +250m +64Mi' k top pods
matches '^web +main +200m +32Mi' k top pods --containers
[ "$(k top pods --no-headers --sort-by=cpu | cut -d' ' -f1 | tr '\n' ' ')" = "web quiet " ] || fail "not sorted by use"
lines 1 k top pods --no-headers -l app=quiet
lines 1 k top pod web --no-headers
refused 'NotFound' k top pod nobody
matches '"metadata":\{"name":"web","namespace":"default",.*"window":"15s","containers":\[\{"name":"main","usage":\{"cpu":"200m?[0-9]*n?"' \
  k get --raw /apis/metrics.k8s.io/v1beta1/namespaces/default/pods/web
k create serviceaccount viewer
k create rolebinding viewer --clusterrole=view --serviceaccount=default:viewer
eventually matches '^yes' k auth can-i list pods.metrics.k8s.io --as=system:serviceaccount:default:viewer
