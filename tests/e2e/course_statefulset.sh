# The course's StatefulSet: pods by number, one after the other, each with its own claim.
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral --pod-startup-latency 100ms

k apply -f - << EOF
apiVersion: v1
kind: Service
metadata: {name: cassandra}
spec:
  clusterIP: None
  selector: {app: cassandra}
  ports: [{port: 9042}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: cassandra
  labels:
    app: cassandra
spec:
  serviceName: cassandra
  replicas: 3
  selector:
    matchLabels:
      app: cassandra
  template:
    metadata:
      labels:
        app: cassandra
    spec:
      terminationGracePeriodSeconds: 1800
      containers:
      - name: cassandra
        image: gcr.io/google-samples/cassandra:v13
        imagePullPolicy: Always
        ports:
        - {containerPort: 7000, name: intra-node}
        - {containerPort: 9042, name: cql}
        resources:
          limits: {cpu: "500m", memory: 1Gi}
          requests: {cpu: "500m", memory: 1Gi}
        lifecycle:
          preStop:
            exec:
              command: [/bin/sh, -c, nodetool drain]
        env:
          - name: CASSANDRA_SEEDS
            value: "cassandra-0.cassandra.default.svc.cluster.local"
          - name: POD_IP
            valueFrom:
              fieldRef:
                fieldPath: status.podIP
        readinessProbe:
          exec:
            command: [/bin/bash, -c, /ready-probe.sh]
          initialDelaySeconds: 1
          timeoutSeconds: 5
        volumeMounts:
        - name: cassandra-data
          mountPath: /cassandra_data
  volumeClaimTemplates:
  - metadata:
      name: cassandra-data
    spec:
      accessModes: [ "ReadWriteOnce" ]
      resources:
        requests:
          storage: 1Gi
EOF
matches '^NAME +READY +AGE$' k get statefulset
eventually 60 matches '^cassandra +3/3 ' k get sts
for i in 0 1 2; do
  matches "^cassandra-$i +1/1 +Running +0 " k get pod
  matches "^cassandra-data-cassandra-$i +Bound +pvc-[-0-9a-f]{36} +1Gi +RWO +standard" k get pvc
done
# In order: each pod began after the one before it was ready.
k get pod -o jsonpath='{range .items[*]}{.metadata.creationTimestamp}{" "}{.metadata.name}{"\n"}{end}' | sort -c
matches '9042' k get endpoints cassandra
matches 'scaled' k scale sts cassandra --replicas=1
eventually 60 matches '^cassandra +1/1 ' k get sts
matches '^cassandra-0 ' k get pod
lines 1 k get pod --no-headers
lines 3 k get pvc --no-headers
matches 'create Pod cassandra-0 in StatefulSet cassandra successful' k describe sts cassandra
k delete sts cassandra
eventually 60 matches 'No resources found' k get pod
