# kubectl: one
# The walkthrough of the documentation of the HorizontalPodAutoscaler: php-apache, a load generator, 1 -> more -> 1, by the
# requests that simulated containers make (docs/tasks/run-application/horizontal-pod-autoscale-walkthrough).
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral --clock virtual --seed 3
advance() { "$KUBEMU" clock advance --server "$url" "$1" > "$work/clock"; }

k apply -f - <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata: {name: php-apache}
spec:
  selector: {matchLabels: {run: php-apache}}
  template:
    metadata: {labels: {run: php-apache}}
    spec:
      containers:
      - name: php-apache
        image: registry.k8s.io/hpa-example
        ports: [{containerPort: 80}]
        resources: {limits: {cpu: 500m}, requests: {cpu: 200m}}
---
apiVersion: v1
kind: Service
metadata: {name: php-apache, labels: {run: php-apache}}
spec: {ports: [{port: 80}], selector: {run: php-apache}}
YAML
k autoscale deployment php-apache --cpu-percent=50 --min=1 --max=10
advance 2m
matches '^php-apache .* 0%/50% +1 +10 +1 ' k get hpa

k run load-generator --image=busybox:1.28 --restart=Never -- /bin/sh -c "while sleep 0.01; do wget -q -O- http://php-apache; done"
advance 35s
matches ' 2[0-9][0-9]%/50%' k get hpa  # of what one pod requests, bounded by its limit
advance 4m
matches '^php-apache +[5-7]/[5-7] ' k get deployment php-apache
matches ' [345][0-9]%/50% +1 +10 +[5-7] ' k get hpa
busy() { "$KUBECTL" top pods -l run=php-apache --no-headers | awk '$2 + 0 > 50'; }
[ "$(busy | wc -l)" -ge 5 ] || fail "the load is not spread: $(k top pods)"
matches 'New size: .*cpu resource utilization \(percentage of request\) above target' k describe hpa php-apache

# The shell takes no notice of SIGTERM: it has its 30 seconds. Then it takes the stabilisation window of five minutes.
k delete pod load-generator --wait=false
advance 20s
matches 'load-generator .*Terminating' k get pods
advance 4m
matches '^php-apache +[5-7]/[5-7] ' k get deployment php-apache
advance 4m
matches '^php-apache +1/1 ' k get deployment php-apache
matches 'New size: 1; reason: All metrics below target' k describe hpa php-apache
