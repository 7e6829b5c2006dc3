# The four exercises at the end of the course: an application as a Deployment with five replicas, its settings in a
# ConfigMap, and a CronJob that calls it every minute.
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral --pod-startup-latency 100ms --clock scaled=6  # a minute takes ten seconds

k apply -f - << EOF
apiVersion: v1
kind: ConfigMap
metadata: {name: my-simple-app}
data:
  MESSAGE: hello from my-simple-app
  app.conf: |
    listen 80
    mode production
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: my-simple-app, labels: {app: my-simple-app}}
spec:
  replicas: 5
  selector: {matchLabels: {app: my-simple-app}}
  template:
    metadata: {labels: {app: my-simple-app}}
    spec:
      containers:
      - name: app
        image: nginx:1.25
        ports: [{containerPort: 80, name: http}]
        envFrom: [{configMapRef: {name: my-simple-app}}]
        readinessProbe: {httpGet: {path: /, port: http}, periodSeconds: 1}
        livenessProbe: {httpGet: {path: /, port: http}, initialDelaySeconds: 2}
        volumeMounts: [{name: settings, mountPath: /etc/my-simple-app}]
      volumes:
      - {name: settings, configMap: {name: my-simple-app, items: [{key: app.conf, path: app.conf}]}}
---
apiVersion: v1
kind: Service
metadata: {name: my-simple-app}
spec:
  selector: {app: my-simple-app}
  ports: [{port: 80, targetPort: http}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: caller}
spec:
  schedule: "*/1 * * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: OnFailure
          containers:
          - name: caller
            image: busybox
            args: [/bin/sh, -c, 'date; wget -qO- http://my-simple-app && echo called']
EOF
k rollout status deployment my-simple-app --timeout 60s
matches '^my-simple-app +5/5 +5 +5 ' k get deploy
matches ':80.* \+ 2 more' k get endpoints my-simple-app
eventually 90 matches '^caller-[0-9]{8} .*1/1 ' k get job
eventually matches '^called$' log_of caller-
k delete cronjob caller
k delete deploy,svc,cm my-simple-app
eventually 60 matches 'No resources found' k get pod
