# kubectl: one
# A running pod gets other resources through its resize subresource: the kubelet carries it out, or says why it does not.
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral --nodes 2

eventually k get serviceaccount default
k create -f - << 'EOF'
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers:
  - {name: a, image: nginx, resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {cpu: 200m, memory: 128Mi}}}
EOF
k wait pod/p --for=condition=Ready --timeout=30s

# resize RESOURCES: what the server answers to new resources of the container.
resize() {
  curl -s -X PATCH -H 'Content-Type: application/strategic-merge-patch+json' \
    -d "{\"spec\":{\"containers\":[{\"name\":\"a\",$1}]}}" "$url/api/v1/namespaces/default/pods/p/resize"
}
show() { k get pod p -o jsonpath="$1"; }

matches '"generation":2' resize '"resources":{"requests":{"cpu":"150m"}}'
eventually matches '^150m 2$' show '{.status.containerStatuses[0].resources.requests.cpu} {.status.observedGeneration}{"\n"}'
# Too much for any node: the wish stays, the resources in use too.
matches '"generation":3' resize '"resources":{"requests":{"cpu":"1k"},"limits":{"cpu":"1k"}}'
eventually matches '^Infeasible 3$' show \
  '{range .status.conditions[?(@.type=="PodResizePending")]}{.reason} {.observedGeneration}{"\n"}{end}'
matches '^150m$' show '{.status.containerStatuses[0].resources.requests.cpu}{"\n"}'
# Only cpu and memory, and not taken away; the class of service stays.
matches 'resource limits cannot be removed' resize '"resources":{"limits":{"memory":null}}'
matches '"generation":3' resize '"image":"other"'
matches 'QOS Class may not change' resize \
  '"resources":{"requests":{"cpu":"200m","memory":"128Mi"},"limits":{"cpu":"200m","memory":"128Mi"}}'
