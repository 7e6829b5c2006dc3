#!/usr/bin/env bash
# kubectl: one
# A volume with the reclaim policy Recycle is scrubbed by a pod when its claim is gone: what the claim's pods left there is
# not there for the next one.
. "$(dirname "$0")/common.inc"
start_kubemu --pod-startup-latency 0 --nodes 1

k apply -f - > /dev/null << 'YAML'
apiVersion: v1
kind: PersistentVolume
metadata: {name: shared}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Recycle
  storageClassName: manual
  hostPath: {path: /tmp/shared}
YAML
claim_and_pod() { # NAME COMMAND
  k apply -f - > /dev/null << YAML
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: $1}
spec: {accessModes: [ReadWriteOnce], storageClassName: manual, resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: $1}
spec:
  restartPolicy: Never
  volumes: [{name: data, persistentVolumeClaim: {claimName: $1}}]
  containers: [{name: main, image: busybox, volumeMounts: [{name: data, mountPath: /data}], command: [sh, -c, "$2"]}]
YAML
  k wait --for=jsonpath='{.status.phase}'=Succeeded "pod/$1" --timeout 30s > /dev/null
}

claim_and_pod first 'mkdir /data/dir; echo old > /data/dir/file; ls /data'
matches '^dir$' k logs first
matches 'shared .* Bound +default/first ' k get pv
k delete pod/first pvc/first > /dev/null
eventually matches 'shared .* Available +manual' k get pv
matches 'Normal +RecyclerPod +persistentvolume/shared +Recycler pod: Started container pv-recycler' k get events
matches 'Normal +VolumeRecycled +persistentvolume/shared +Volume recycled' k get events
eventually lacks 'recycler-for-shared' k get pods
claim_and_pod second 'ls /data; echo seen'
matches '^seen$' k logs second
lacks '^dir$' k logs second
