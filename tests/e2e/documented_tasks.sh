# Tasks and tutorials of kubernetes.io that look into containers: what their commands print there.
# kubectl: one
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral --pod-startup-latency 200ms
running() { k wait --for=condition=Ready --timeout=30s pod "$@" > /dev/null; }

# Configure Pod initialization; StatefulSet basics: pages that were written outlive the pod.
k apply -f - << 'Y' > /dev/null
apiVersion: v1
kind: Pod
metadata: {name: init-demo}
spec:
  hostAliases: [{ip: 10.1.2.3, hostnames: [foo.remote, bar.remote]}]
  initContainers:
  - name: install
    image: busybox:1.28
    command: [wget, -O, /work-dir/index.html, "http://info.cern.ch"]
    volumeMounts: [{name: workdir, mountPath: /work-dir}]
  containers:
  - name: nginx
    image: nginx
    ports: [{containerPort: 80}]
    volumeMounts: [{name: workdir, mountPath: /usr/share/nginx/html}]
  volumes: [{name: workdir, emptyDir: {}}]
---
apiVersion: v1
kind: Service
metadata: {name: nginx}
spec: {clusterIP: None, selector: {app: nginx}, ports: [{port: 80, name: web}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  serviceName: nginx
  replicas: 1
  selector: {matchLabels: {app: nginx}}
  template:
    metadata: {labels: {app: nginx}}
    spec:
      containers:
      - name: nginx
        image: registry.k8s.io/nginx-slim:0.24
        ports: [{containerPort: 80, name: web}]
        volumeMounts: [{name: www, mountPath: /usr/share/nginx/html}]
  volumeClaimTemplates:
  - metadata: {name: www}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: counter}
spec:
  containers:
  - name: count
    image: busybox:1.28
    args: [/bin/sh, -c, 'i=0; while true; do echo "$i: line" >> /var/log/1.log; i=$((i+1)); sleep 1; done']
    volumeMounts: [{name: varlog, mountPath: /var/log}]
  - name: count-log-1
    image: busybox:1.28
    args: [/bin/sh, -c, 'tail -n+1 -F /var/log/1.log']
    volumeMounts: [{name: varlog, mountPath: /var/log}]
  volumes: [{name: varlog, emptyDir: {}}]
---
apiVersion: batch/v1
kind: Job
metadata: {name: indexed-job}
spec:
  completions: 2
  completionMode: Indexed
  template:
    spec:
      restartPolicy: Never
      initContainers:
      - name: input
        image: docker.io/library/bash
        command: [bash, -c, "items=(foo bar)\necho ${items[$JOB_COMPLETION_INDEX]} > /input/data.txt\n"]
        volumeMounts: [{mountPath: /input, name: input}]
      containers:
      - name: worker
        image: docker.io/library/busybox
        command: [rev, /input/data.txt]
        volumeMounts: [{mountPath: /input, name: input}]
      volumes: [{name: input, emptyDir: {}}]
Y
running init-demo counter
[ "$(k exec init-demo -c nginx -- curl -s localhost | grep -c info.cern.ch)" = 2 ]
k exec init-demo -c nginx -- cat /etc/hosts | grep -qP '^10.1.2.3\tfoo.remote\tbar.remote$'
eventually running web-0
k exec web-0 -- sh -c 'echo "$(hostname)" > /usr/share/nginx/html/index.html'
k delete pod web-0 > /dev/null
eventually running web-0
[ "$(k exec web-0 -- curl -s http://localhost/)" = web-0 ]
[ "$(k exec init-demo -c nginx -- curl -s http://web-0.nginx)" = web-0 ]
[ "$(k exec web-0 -- hostname -f)" = web-0.nginx.default.svc.cluster.local ]
eventually matches '^1: line$' k logs counter count-log-1
k wait --for=condition=Complete --timeout=30s job/indexed-job > /dev/null
[ "$(k logs -l batch.kubernetes.io/job-name=indexed-job | sort | tr '\n' ' ')" = 'oof rab ' ]

# Assign memory resources: over the limit; a security context.
k apply -f - << 'Y' > /dev/null
apiVersion: v1
kind: Pod
metadata: {name: memory-demo-2}
spec:
  containers:
  - name: ctr
    image: polinux/stress
    resources: {requests: {memory: 50Mi}, limits: {memory: 100Mi}}
    command: [stress]
    args: [--vm, "1", --vm-bytes, 250M, --vm-hang, "1"]
---
apiVersion: v1
kind: Pod
metadata: {name: security-context-demo}
spec:
  securityContext: {runAsUser: 1000, runAsGroup: 3000, fsGroup: 2000, supplementalGroups: [4000]}
  volumes: [{name: v, emptyDir: {}}]
  containers:
  - name: demo
    image: busybox:1.28
    command: [sh, -c, sleep 1h]
    volumeMounts: [{name: v, mountPath: /data/demo}]
Y
eventually matches 'OOMKilled|CrashLoopBackOff' k get pod memory-demo-2
running security-context-demo
[ "$(k exec security-context-demo -- id)" = 'uid=1000 gid=3000 groups=2000,3000,4000' ]
k exec security-context-demo -- ls -l /data | grep -qE '^drwxrwsrwx +2 root +2000 '
