# kubectl rollout of StatefulSets and DaemonSets: status, history, undo, restart.
# kubectl: ends
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral --pod-startup-latency 0

workload() { # KIND IMAGE
  local service=
  [ "$1" != StatefulSet ] || service='serviceName: w,'  # which older clients ask for
  cat << EOF
apiVersion: apps/v1
kind: $1
metadata: {name: w}
spec: {$service selector: {matchLabels: {app: $1}}, template: {metadata: {labels: {app: $1}}, spec: {containers: [{name: c, image: "$2"}]}}}
EOF
}
for kind in StatefulSet DaemonSet; do
  workload $kind nginx:1.25 | k apply -f - > /dev/null
  k rollout status "$kind/w" --timeout=60s > /dev/null
  workload $kind nginx:1.26 | k apply -f - > /dev/null
  k rollout status "$kind/w" --timeout=60s > /dev/null
  matches '^2 ' k rollout history "$kind/w"
  matches 'nginx:1.25' k rollout history "$kind/w" --revision=1
  matches 'rolled back' k rollout undo "$kind/w"
  k rollout status "$kind/w" --timeout=60s > /dev/null
  [ "$(k get "$kind" w -o jsonpath='{.spec.template.spec.containers[0].image}')" = nginx:1.25 ]
  [ "$(k get pods -l app=$kind -o jsonpath='{.items[0].spec.containers[0].image}')" = nginx:1.25 ]
  matches 'restarted' k rollout restart "$kind/w"
  k rollout status "$kind/w" --timeout=60s > /dev/null
  matches '^3 ' k rollout history "$kind/w"
done
