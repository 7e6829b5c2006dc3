# A quota refuses what is too much, and gives back at once what goes.
# kubectl: one
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral --pod-startup-latency 0

k create namespace small
k create quota q --hard=pods=2,configmaps=3 -n small
eventually matches 'pods +0 +2' k describe quota q -n small
k create deployment web --image=nginx --replicas=3 -n small
eventually matches 'pods +2 +2' k describe quota q -n small
eventually matches 'exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2' k describe rs -n small
k scale deployment web --replicas=1 -n small
eventually matches 'pods +1 +2' k describe quota q -n small
