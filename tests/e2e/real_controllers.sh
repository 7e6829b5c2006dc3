# kubectl: one
# Kubernetes' own kube-controller-manager and kube-scheduler drive the cluster through its API: kubemu only simulates the
# nodes. Found on PATH, or named by KUBE_CONTROLLER_MANAGER and KUBE_SCHEDULER.
. "$(dirname "$0")/common.inc"
manager=${KUBE_CONTROLLER_MANAGER:-$(command -v kube-controller-manager || true)}
scheduler=${KUBE_SCHEDULER:-$(command -v kube-scheduler || true)}
if [ -z "$manager" ] || [ -z "$scheduler" ]; then
  echo "skipped: there is no kube-controller-manager and kube-scheduler on PATH, nor in KUBE_CONTROLLER_MANAGER and KUBE_SCHEDULER"
  exit 0
fi

start_kubemu --controllers kubelet
openssl genrsa -out "$work/sa.key" 2048 2> /dev/null
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
run_with_kubeconfig() { # PROGRAM FLAG...
  "$1" --kubeconfig "$KUBECONFIG" --authentication-kubeconfig "$KUBECONFIG" --authorization-kubeconfig "$KUBECONFIG" \
    --bind-address 127.0.0.1 --secure-port "$(free_port)" --leader-elect "${@:2}" > "$work/$(basename "$1").log" 2>&1 &
  beside+=($!)
}
run_with_kubeconfig "$manager" --service-account-private-key-file "$work/sa.key" --cert-dir "$work"
run_with_kubeconfig "$scheduler"

holds() { [ -n "$(k get lease "$1" -n kube-system -o 'jsonpath={.spec.holderIdentity}' 2> /dev/null)" ]; }
eventually holds kube-controller-manager
eventually holds kube-scheduler

k create deployment web --image nginx --replicas 3 > /dev/null
k rollout status deployment web --timeout 60s
k set image deployment web nginx=nginx:1.25 > /dev/null
k rollout status deployment web --timeout 60s
matches 'Successfully assigned default/web-' k get events --field-selector reason=Scheduled
k expose deployment web --port 80 > /dev/null
eventually matches '^web +10\.' k get endpoints web
k create job once --image busybox -- true > /dev/null
k wait --for=condition=complete job/once --timeout 60s
k create namespace short > /dev/null
k create configmap inside -n short > /dev/null
k delete namespace short --timeout 60s
k delete deployment web --timeout 60s
eventually lacks 'web-' k get replicasets,pods
# A watch or a list of a kind that they cannot understand would be told again and again.
if grep -E 'reflector.*(Failed to watch|failed to list)' "$work"/kube-*.log; then fail "an informer could not follow"; fi
