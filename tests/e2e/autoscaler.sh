# An autoscaler follows the use that an annotation of the pods says.
# kubectl: one
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral --pod-startup-latency 0

k create deployment web --image=nginx
k set resources deployment web --requests=cpu=100m
k rollout status deployment web
k patch deployment web --type=merge -p '{"spec":{"template":{"metadata":{"annotations":{"kubemu.io/cpu-usage":"100m"}}}}}'
k rollout status deployment web
k autoscale deployment web --min=1 --max=3 --cpu-percent=50
eventually matches '100%/50%.* 3 ' k get hpa web
eventually matches 'New size: .*above target' k describe hpa web
eventually matches '3/3' k get deployment web
