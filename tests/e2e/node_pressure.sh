# A node that an annotation makes short of memory reports it, is tainted, and evicts pods until it has enough again.
# kubectl: one
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral --nodes 1 --pod-startup-latency 0

k run greedy --image=nginx --overrides='{"metadata":{"annotations":{"kubemu.io/memory-usage":"90Mi"}}}'
k run modest --image=nginx --overrides='{"metadata":{"annotations":{"kubemu.io/memory-usage":"5Mi"}}}'
k wait --for=condition=Ready pod/greedy pod/modest
k annotate node kubemu-control-plane kubemu.io/signal.memory.available=30Mi
eventually matches '^greedy +0/1 +Error ' k get pods  # the container's reason comes before the pod's
matches '^modest +1/1 +Running ' k get pods
matches 'MemoryPressure +True .*KubeletHasInsufficientMemory' k describe node kubemu-control-plane
eventually matches 'node.kubernetes.io/memory-pressure:NoSchedule' k describe node kubemu-control-plane
matches 'Message: +The node was low on resource: memory. Threshold quantity: 100Mi, available: 30Mi. Container greedy was using 90Mi, request is 0, has larger consumption of memory' \
  k describe pod greedy
matches 'Warning +EvictionThresholdMet .*Attempting to reclaim memory' k get events
matches 'Warning +Evicted .*pod/greedy' k get events
k run refused --image=nginx
eventually matches 'node\(s\) had untolerated taint' k describe pod refused
k annotate node kubemu-control-plane kubemu.io/signal.memory.available-
