# Whoever waits for an address gets one; an annotation turns it off.
# kubectl: one
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral

k create service loadbalancer web --tcp=80
eventually matches 'LoadBalancer .* 203\.0\.113\.1 ' k get service web
k create service loadbalancer off --tcp=80 --dry-run=client -o yaml | k annotate --local -f - kubemu.io/load-balancer=off -o yaml | k apply -f -
k create ingress web --rule='example.com/=web:80'
eventually matches '192\.0\.2\.1' k get ingress web
matches 'LoadBalancer .*<pending>' k get service off
