# Stages of KWOK drive pods and nodes as soon as a user applies them.
# kubectl: one
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral --pod-startup-latency 0

k apply -f - <<'YAML'
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: pod-ready}
spec:
  resourceRef: {apiGroup: v1, kind: Pod}
  selector:
    matchLabels: {staged: "true"}
    matchExpressions:
    - {key: '.metadata.deletionTimestamp', operator: DoesNotExist}
    - {key: '.status.podIP', operator: DoesNotExist}
  next:
    event: {type: Normal, reason: Staged, message: by a stage}
    statusTemplate: |
      {{ $now := Now }}
      conditions:
      {{ range list "Initialized" "Ready" "ContainersReady" }}
      - {type: {{ . | Quote }}, status: "True", lastTransitionTime: {{ $now | Quote }}}
      {{ end }}
      containerStatuses:
      {{ range .spec.containers }}
      - {name: {{ .name | Quote }}, image: {{ .image | Quote }}, ready: true, restartCount: 7, state: {running: {startedAt: {{ $now | Quote }}}}}
      {{ end }}
      hostIP: {{ NodeIPWith .spec.nodeName | Quote }}
      podIP: {{ PodIPWith .spec.nodeName ( or .spec.hostNetwork false ) ( or .metadata.uid "" ) ( or .metadata.name "" ) ( or .metadata.namespace "" ) | Quote }}
      phase: Running
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: pod-delete}
spec:
  resourceRef: {apiGroup: v1, kind: Pod}
  selector:
    matchLabels: {staged: "true"}
    matchExpressions: [{key: '.metadata.deletionTimestamp', operator: Exists}]
  next:
    finalizers: {empty: true}
    delete: true
YAML
matches 'pod-ready' k get stages.kwok.x-k8s.io
k run staged --image=busybox --labels=staged=true --restart=Always -- false
k run plain --image=nginx
k wait --for=condition=Ready pod/staged pod/plain
matches '^staged +1/1 +Running +7 ' k get pods
matches 'Staged .*pod/staged .*by a stage' k get events
matches '^plain +1/1 +Running +0 ' k get pods
k delete pod staged --timeout=10s
k delete stages --all
k run later --image=busybox --labels=staged=true --restart=Never -- true
eventually matches '^later +0/1 +Completed +0 ' k get pods
