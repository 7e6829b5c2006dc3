# kubectl: ends
# What the cluster itself refuses or adds: quotas, limit ranges, types of services, pod security.
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral

# refused PATTERN COMMAND...: the command fails, and says why.
refused() {
  local pattern=$1 output
  shift
  output=$("$@" 2>&1) && fail "accepted: $*"
  grep -qF -- "$pattern" <<< "$output" || fail "no '$pattern' in: $output"
}

k create namespace busy
k create quota small -n busy --hard=configmaps=2,services.nodeports=1,pods=1,requests.cpu=1
eventually matches '^ *configmaps +1 +2' k describe quota small -n busy
k create configmap one -n busy
refused 'exceeded quota: small, requested: configmaps=1, used: configmaps=2, limited: configmaps=2' k create configmap two -n busy
refused 'must specify requests.cpu for: p' k run p --image=busybox -n busy
k delete configmap one -n busy
eventually k create configmap two -n busy

k create namespace bounded
k apply -n bounded -f - <<'EOF'
apiVersion: v1
kind: LimitRange
metadata: {name: bounds}
spec:
  limits:
  - {type: Container, max: {cpu: "1"}, default: {cpu: 500m}, defaultRequest: {cpu: 100m}}
EOF
k run small --image=busybox -n bounded
[ "$(k get pod small -n bounded -o jsonpath='{.spec.containers[0].resources.limits.cpu}')" = 500m ]
refused 'maximum cpu usage per Container is 1, but limit is 2' k apply -n bounded -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata: {name: big}
spec: {containers: [{name: c, image: busybox, resources: {limits: {cpu: "2"}}}]}
EOF

k create service nodeport web --tcp=80 --node-port=30080
refused 'provided port is already allocated' k create service nodeport other --tcp=80 --node-port=30080
ip=$(k get service web -o jsonpath='{.spec.clusterIP}')
k patch service web -p '{"spec":{"type":"ClusterIP"}}'
[ "$(k get service web -o jsonpath='{.spec.ports[0].nodePort}')" = "" ]
[ "$(k get service web -o jsonpath='{.spec.clusterIP}')" = "$ip" ]
refused 'may not change once set' k patch service web -p '{"spec":{"clusterIP":"10.96.0.99"}}'
k create service nodeport other --tcp=80 --node-port=30080
k create service externalname db --external-name=db.example.com
k create service loadbalancer lb --tcp=80
matches '^lb +LoadBalancer +10\.' k get service lb

k create namespace hard
k label namespace hard pod-security.kubernetes.io/enforce=restricted
refused 'violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false' k run p --image=busybox -n hard
matches 'would violate PodSecurity "restricted:latest"' k create deployment d --image=busybox -n hard
refused 'must be one of privileged, baseline, restricted' k label namespace hard pod-security.kubernetes.io/warn=odd

matches '^scheduler +Healthy +ok' k get componentstatuses
