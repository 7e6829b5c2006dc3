# An autoscaler follows the use that an annotation of the pods says.
# kubectl: one
. "$(dirname "$0")/common.inc"
# Autoscalers look every 15 seconds.
start_kubemu --ephemeral --pod-startup-latency 0 --clock scaled=10

k create deployment web --image=nginx
k set resources deployment web --requests=cpu=100m
k rollout status deployment web
k patch deployment web --type=merge -p '{"spec":{"template":{"metadata":{"annotations":{"kubemu.io/cpu-usage":"100m"}}}}}'
k rollout status deployment web
k autoscale deployment web --min=1 --max=3 --cpu-percent=50
eventually matches '100%/50%.* 3 ' k get hpa web
eventually matches 'New size: .*above target' k describe hpa web
eventually matches '3/3' k get deployment web

# Custom and external metrics are there as soon as an annotation says a value, and go with the last of them.
refused 'could not find the requested resource|404 page not found|NotFound' k get --raw /apis/custom.metrics.k8s.io/v1beta2
k delete hpa web
k create service clusterip front --tcp=80
k annotate service front kubemu.io/metric.hits=20
k annotate namespace default kubemu.io/external-metric.queue='[{"value":"12","labels":{"q":"mail"}}]'
k apply -f - <<'YAML'
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 1
  maxReplicas: 9
  metrics:
  - {type: Object, object: {describedObject: {apiVersion: v1, kind: Service, name: front}, metric: {name: hits}, target: {type: Value, value: "10"}}}
  - {type: External, external: {metric: {name: queue, selector: {matchLabels: {q: mail}}}, target: {type: AverageValue, averageValue: "2"}}}
YAML
eventually matches '6/6' k get deployment web
matches '^v1beta2.custom.metrics.k8s.io +Local +True' k get apiservices
matches '"value":"20"' k get --raw /apis/custom.metrics.k8s.io/v1beta2/namespaces/default/services/front/hits
matches '"metricLabels":\{"q":"mail"\}' k get --raw '/apis/external.metrics.k8s.io/v1beta1/namespaces/default/queue?labelSelector=q%3Dmail'
matches '^external.metrics.k8s.io/v1beta1$' k api-versions
k annotate namespace default kubemu.io/external-metric.queue-
eventually refused 'NotFound|not found' k get apiservice v1beta1.external.metrics.k8s.io
eventually matches 'FailedGetExternalMetric .*could not find the requested resource' k get events
