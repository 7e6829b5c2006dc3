# Nodes under kubectl's hands: cordon, drain, taint; and waiting: for conditions, fields, creation and deletion; events.
# kubectl: ends
. "$(dirname "$0")/common.inc"
start_kubemu --kubernetes-version "$(client_version)" --ephemeral --pod-startup-latency 0
minor=$(client_minor)

k create deployment web --image=nginx --replicas=4 > /dev/null
matches 'condition met' k wait --for=condition=Available deployment/web --timeout=30s
k rollout status deployment web --timeout=30s > /dev/null
if [ "$minor" -ge 23 ]; then matches 'condition met' k wait --for=jsonpath='{.status.readyReplicas}'=4 deployment/web --timeout=30s; fi
refused 'timed out' k wait --for=condition=Progressing=False deployment/web --timeout=1s

matches 'node/kubemu-worker cordoned' k cordon kubemu-worker
matches '^kubemu-worker +Ready,SchedulingDisabled ' k get nodes
k drain kubemu-worker --ignore-daemonsets --force --delete-emptydir-data > "$work/drain" 2>&1 ||
  k drain kubemu-worker --ignore-daemonsets --force --delete-local-data > "$work/drain" 2>&1 || { cat "$work/drain"; fail drain; }
grep -qE 'node/kubemu-worker (drained|evicted)' "$work/drain" || fail "$(cat "$work/drain")"
k rollout status deployment web --timeout=30s > /dev/null
[ -z "$(k get pods -l app=web --field-selector spec.nodeName=kubemu-worker -o name)" ]
matches 'uncordoned' k uncordon kubemu-worker

matches 'tainted' k taint nodes kubemu-worker dedicated=db:NoExecute
matches 'untainted' k taint nodes kubemu-worker dedicated-
matches '(not labeled|labeled)$' k label node kubemu-worker disk=ssd

# A budget holds the drain up.
k create poddisruptionbudget web --selector=app=web --min-available=4 > /dev/null
eventually matches '^web +4 +N/A +0 ' k get pdb
node=$(k get pods -l app=web -o jsonpath='{.items[0].spec.nodeName}')
refused "Cannot evict pod as it would violate the pod's disruption budget" k drain "$node" --ignore-daemonsets --force --timeout=3s
k delete pdb web > /dev/null

k delete deployment web --wait=false > /dev/null
# Older clients complain when nothing is left to wait for.
k wait --for=delete pod -l app=web --timeout=30s > /dev/null 2>&1 || matches 'No resources found' k get pods -l app=web
eventually matches 'No resources found' k get pods
matches 'ScalingReplicaSet' k get events --field-selector involvedObject.kind=Deployment
if [ "$minor" -ge 26 ]; then matches 'ScalingReplicaSet' k events --for deployment/web; fi
matches 'SuccessfulCreate' k get events --sort-by=.lastTimestamp
