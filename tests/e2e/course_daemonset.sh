# The course's DaemonSet: a pod on every node that its tolerations let it on, and nodes as a cluster shows them.
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral --pod-startup-latency 200ms --nodes 3

lines 3 k get nodes --no-headers
matches ' Ready +control-plane ' k get nodes
matches 'node-role.kubernetes.io/control-plane:NoSchedule' k describe nodes
daemonset() {
  cat << EOF
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: fluentd-elasticsearch
  namespace: kube-system
  labels:
    k8s-app: fluentd-logging
spec:
  selector:
    matchLabels:
      name: fluentd-elasticsearch
  template:
    metadata:
      labels:
        name: fluentd-elasticsearch
    spec:
      tolerations:
      - key: node-role.kubernetes.io/$1
        effect: NoSchedule
      containers:
      - name: fluentd-elasticsearch
        image: quay.io/fluentd_elasticsearch/fluentd:v2.5.2
        resources:
          limits:
            memory: 200Mi
          requests:
            cpu: 100m
            memory: 200Mi
        volumeMounts:
        - name: varlog
          mountPath: /var/log
        - name: varlibdockercontainers
          mountPath: /var/lib/docker/containers
          readOnly: true
      terminationGracePeriodSeconds: 30
      volumes:
      - name: varlog
        hostPath:
          path: /var/log
      - name: varlibdockercontainers
        hostPath:
          path: /var/lib/docker/containers
EOF
}
daemonset master | matches 'daemonset.apps/fluentd-elasticsearch created' k apply -f -
matches 'NAME +DESIRED +CURRENT +READY +UP-TO-DATE +AVAILABLE +NODE SELECTOR +AGE' k get ds -n kube-system
eventually matches '^fluentd-elasticsearch +2 +2 +2 +2 +2 +<none> ' k get ds -n kube-system
daemonset control-plane | matches 'daemonset.apps/fluentd-elasticsearch configured' k apply -f -
eventually matches '^fluentd-elasticsearch +3 +3 +3 +3 +3 +<none> ' k get ds -n kube-system
matches 'successfully rolled out' k rollout status ds/fluentd-elasticsearch -n kube-system --timeout 60s
[ "$(k get pod -n kube-system -l name=fluentd-elasticsearch -o jsonpath='{range .items[*]}{.spec.nodeName}{"\n"}{end}' | sort -u | wc -l)" -eq 3 ]
k delete ds -n kube-system --all
eventually matches 'No resources found' k get pod -n kube-system
