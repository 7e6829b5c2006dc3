# The course's ReplicaSet section: create, scale, delete a pod and see it replaced, delete the set.
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral --pod-startup-latency 200ms

matches 'replicaset.apps/mynginx-rs created' k apply -f - << EOF
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: mynginx-rs
  labels:
    app: mynginx-rs
spec:
  replicas: 1
  selector:
    matchLabels:
      app: mynginx-rs
  template:
    metadata:
      labels:
        app: mynginx-rs
    spec:
      containers:
      - name: nginx
        image: nginx
EOF
eventually matches '^mynginx-rs-[bcdfghjklmnpqrstvwxz2456789]{5} +1/1 +Running +0 ' k get pod
matches '^NAME +DESIRED +CURRENT +READY +AGE$' k get replicaset
eventually matches '^mynginx-rs +1 +1 +1 ' k get rs

matches 'replicaset.apps/mynginx-rs scaled' k scale rs --replicas 2 mynginx-rs
eventually matches '^mynginx-rs +2 +2 +2 ' k get rs
lines 2 k get pod --no-headers

first=$(k get pod -o name | sed -n 1p)
matches "^pod \"${first#pod/}\" deleted" k delete "$first"
eventually matches '^mynginx-rs +2 +2 +2 ' k get rs
lacks "^${first#pod/} " k get pod
lines 2 k get pod --no-headers
matches 'SuccessfulCreate .*replicaset-controller +Created pod: mynginx-rs-' k describe rs mynginx-rs

matches 'replicaset.apps "mynginx-rs" deleted' k delete rs mynginx-rs
matches 'No resources found in default namespace' k get rs
eventually matches 'No resources found in default namespace' k get pod
