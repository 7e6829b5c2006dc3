# Nodes from a file and from users, that fail on demand and come back; the pace of namespaces.
# kubectl: one
. "$(dirname "$0")/common.inc"
cat > "$work/nodes.yaml" <<'YAML'
nodes:
- {name: head, labels: {node-role.kubernetes.io/control-plane: ""}}
- count: 2
  name: worker-{}
  labels: {topology.kubernetes.io/zone: [a, b]}
  taints: [{key: dedicated, value: batch, effect: NoSchedule}]
  capacity: {cpu: 2, memory: 4Gi, pods: 20}
YAML
echo 'nodes: [{name: a, labels: 3}]' > "$work/bad.yaml"
refused 'nodes\[0\].labels: expected a map' "$KUBEMU" serve --ephemeral --http 127.0.0.1:0 --node-config "$work/bad.yaml"
start_kubemu --ephemeral --pace instant --node-config "$work/nodes.yaml"

lines 3 k get nodes --no-headers
matches '^worker-2 +Ready .* b$' k get nodes -L topology.kubernetes.io/zone
[ "$(k get node worker-1 -o 'jsonpath={.status.allocatable.cpu}')" = 2 ] || fail "not the capacity of the file"
k create -f - <<'YAML'
apiVersion: v1
kind: Node
metadata: {name: mine, annotations: {kwok.x-k8s.io/node: fake}, labels: {mine: "yes"}}
YAML
k wait --for=condition=Ready node/mine
k create -f - <<'YAML'
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  nodeSelector: {mine: "yes"}
  tolerations: [{key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 1}]
  containers: [{name: c, image: nginx}]
YAML
k wait --for=condition=Ready pod/web
k annotate node mine kubemu.io/condition.Ready=Unknown
eventually matches '^mine +NotReady' k get nodes
eventually matches 'node.kubernetes.io/unreachable' k get node mine -o 'jsonpath={.spec.taints}'
eventually matches '^web .*Terminating' k get pods   # evicted, and nobody there to end it
k annotate node mine kubemu.io/condition.Ready-
eventually matches '^mine +Ready' k get nodes
eventually refused 'NotFound' k get pod web
k create namespace still
k annotate namespace still kubemu.io/pace=frozen
k create deployment app --image=nginx -n still
eventually matches '^app-.* Pending' k get pods -n still
k annotate namespace still kubemu.io/pace-
k rollout status deployment app -n still
