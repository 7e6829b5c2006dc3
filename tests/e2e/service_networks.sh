# kubectl: one
# The documented task of extending the addresses of Services: a small network that is full, a larger one, and its end.
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral --service-cluster-ip-range 10.96.0.0/28 --clock scaled=20  # a network that goes does so after 10 s
matches '^kubernetes +10\.96\.0\.0/28 ' k get servicecidr
matches '^kubernetes +ClusterIP +10\.96\.0\.1 ' k get services
matches '^10\.96\.0\.1 +services/default/kubernetes' k get ipaddresses
for i in $(seq 1 13); do k create service clusterip "test-$i" --tcp 80 > /dev/null; done
refused 'failed to allocate a serviceIP: range is full' k create service clusterip full --tcp 80

k apply -f - << EOF
apiVersion: networking.k8s.io/v1
kind: ServiceCIDR
metadata: {name: newcidr1}
spec: {cidrs: [10.96.0.0/24]}
EOF
eventually k wait --for=condition=Ready servicecidr/newcidr1 --timeout=5s
for i in $(seq 13 16); do k create service clusterip "more-$i" --tcp 80 > /dev/null; done
matches '10\.96\.0\.[0-9]+ ' k get service more-16
k delete servicecidr newcidr1 --wait=false
eventually matches 'reason: Terminating' k get servicecidr newcidr1 -o yaml
for i in $(seq 13 16); do k delete service "more-$i" > /dev/null; done
eventually refused 'not found' k get servicecidr newcidr1

# A record that is taken away comes back.
address=$(k get service test-1 -o jsonpath='{.spec.clusterIP}')
k delete ipaddress "$address"
eventually matches "services/default/test-1" k get ipaddress "$address"
eventually matches 'ClusterIPNotAllocated' k get events
stop_kubemu

# Releases before the kind have the network, too; plugins of admission can be left out.
refused 'expected an IPv4 network' "$KUBEMU" serve --service-cluster-ip-range fd00::/48
refused '"Nonsense" is unknown' "$KUBEMU" serve --disable-admission-plugins ServiceAccount,Nonsense
start_kubemu --ephemeral --service-cluster-ip-range 10.0.0.0/24 --kubernetes-version 1.28 --controllers '-*' \
  --disable-admission-plugins ServiceAccount
matches '^kubernetes +ClusterIP +10\.0\.0\.1 ' k get services
refused "the server doesn't have a resource type" k get servicecidrs
k run alone --image=nginx
[ -z "$(k get pod alone -o jsonpath='{.spec.serviceAccountName}')" ]
stop_kubemu

# Networks of both families: a Service gets both when it asks, and its slices follow.
start_kubemu --ephemeral --nodes 1 --pod-startup-latency 0 --service-cluster-ip-range 10.20.0.0/16,fd00:10:20::/112
matches '^kubernetes +10\.20\.0\.0/16,fd00:10:20::/112 ' k get servicecidr
k create deployment web --image=nginx > /dev/null
k expose deployment web --port 80 > /dev/null
k patch service web --type merge -p '{"spec":{"ipFamilyPolicy":"PreferDualStack"}}' > /dev/null
matches '"fd00:10:20::[0-9a-f]+"' k get service web -o jsonpath='{.spec.clusterIPs}'
eventually matches 'IPv6 .*<unset>' k get endpointslices
k wait --for=condition=Available deployment/web --timeout=20s > /dev/null
matches '^nameserver 10\.20\.0\.10$' k exec deployment/web -- cat /etc/resolv.conf
