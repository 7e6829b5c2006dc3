# A drain waits for what budgets allow, and a cordoned node has its taint.
# kubectl: one
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral --pod-startup-latency 0 --nodes 3

k create deployment web --image=nginx --replicas=4
k rollout status deployment web
# Of the version that every server has; an old kubectl would create another.
k create -f - <<'END'
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 4, selector: {matchLabels: {app: web}}}
END
eventually matches 'web +4 +N/A +0' k get pdb web
node=$(k get pods -o jsonpath='{.items[0].spec.nodeName}')
if k drain "$node" --ignore-daemonsets --timeout=2s > "$work/drain" 2>&1; then fail "a drain went against a budget"; fi
grep -q "would violate the pod's disruption budget" "$work/drain" || fail "$(cat "$work/drain")"
eventually matches 'node.kubernetes.io/unschedulable:NoSchedule' k describe node "$node"
k patch pdb web --type=merge -p '{"spec":{"minAvailable":2}}'
k drain "$node" --ignore-daemonsets --timeout=60s
[ -z "$(k get pods -o jsonpath="{.items[?(@.spec.nodeName=='$node')].metadata.name}")" ] || fail "pods are left on $node"
eventually matches '4/4' k get deployment web
