# kubectl: one
# What well-known programs ask at their start, request by request: controller-runtime (and envtest on an existing
# cluster), k9s and Lens. They are not here to be run; their requests are.
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral --pod-startup-latency 0

# ask METHOD PATH ACCEPT [BODY]: the answer's body; its code and content type go to $work/head.
ask() {
  local body=()
  [ $# -lt 4 ] || body=(-H 'Content-Type: application/json' --data "$4")
  curl -sS -X "$1" "$url$2" -H "Accept: $3" "${body[@]}" -D "$work/head"
}
says() { grep -qi -- "$1" "$work/head" || { cat "$work/head"; fail "the answer's head does not say $1"; }; }
json=application/json
discovery='application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json'

# controller-runtime: aggregated discovery, then each group version of the kinds that it is asked for, a lease to lead,
# and lists that are watches with initial events.
for root in /api /apis; do
  matches '"kind":"APIGroupDiscoveryList"' ask GET $root "$discovery"
  says 'Content-Type: application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
done
cat > "$work/crd.yaml" << EOF
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.startup.example.com}
spec:
  group: startup.example.com
  scope: Namespaced
  names: {plural: gadgets, kind: Gadget}
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
EOF
k create -f "$work/crd.yaml" > "$work/out"
# envtest's WaitForCRDs: the group version lists the resource.
eventually matches '"name":"gadgets"' ask GET /apis/startup.example.com/v1 $json
matches '"resource":"gadgets"' ask GET /apis "$discovery"
lease='{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"operator","namespace":"default"},"spec":{"holderIdentity":"me","leaseDurationSeconds":15,"acquireTime":"2024-01-01T00:00:00.000001Z","renewTime":"2024-01-01T00:00:00.000001Z","leaseTransitions":0}}'
matches '"reason":"NotFound"' ask GET /apis/coordination.k8s.io/v1/namespaces/default/leases/operator $json
matches '"renewTime":"2024-01-01T00:00:00.000001Z"' ask POST /apis/coordination.k8s.io/v1/namespaces/default/leases $json "$lease"
event='{"apiVersion":"events.k8s.io/v1","kind":"Event","metadata":{"name":"operator.1","namespace":"default"},"eventTime":"2024-01-01T00:00:00.000001Z","reportingController":"operator","reportingInstance":"operator-1","action":"LeaderElection","reason":"LeaderElection","type":"Normal","note":"me became leader","regarding":{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","name":"operator","namespace":"default"}}'
matches '"note":"me became leader"' ask POST /apis/events.k8s.io/v1/namespaces/default/events $json "$event"
curl -sS "$url/apis/startup.example.com/v1/gadgets?allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&sendInitialEvents=true&timeoutSeconds=1&watch=true" > "$work/watch"
matches '"type":"BOOKMARK".*"k8s.io/initial-events-end":"true"' cat "$work/watch"
partial='application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json'
matches '"kind":"PartialObjectMetadataList"' ask GET '/api/v1/namespaces/default/serviceaccounts?limit=500&resourceVersion=0' "$partial"

# k9s: may it list namespaces, which kinds are there, and everything as tables with the objects inside.
review='{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview","spec":{"resourceAttributes":{"verb":"list","resource":"namespaces","version":"v1"}}}'
matches '"allowed":true' ask POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews $json "$review"
table='application/json;as=Table;v=v1;g=meta.k8s.io, application/json'
for path in /api/v1/pods /apis/apps/v1/deployments /api/v1/nodes /apis/startup.example.com/v1/gadgets /apis/rbac.authorization.k8s.io/v1/clusterroles; do
  matches '"kind":"Table"' ask GET "$path?includeObject=Object&resourceVersion=0" "$table"
done
matches '"object":\{"kind":"Node","apiVersion":"v1"' ask GET '/api/v1/nodes?includeObject=Object' "$table"
matches '"kind":"Status".*"code":404' ask GET /apis/startup.example.com/v1/namespaces/default/gadgets/none "$table"

# Lens: the cluster's id is kube-system's uid; rules of the user; Prometheus by its services; watches of everything.
matches '"uid":"[0-9a-f-]{36}"' ask GET /api/v1/namespaces/kube-system $json
matches '"resourceRules":\[' ask POST /apis/authorization.k8s.io/v1/selfsubjectrulesreviews $json \
  '{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectRulesReview","spec":{"namespace":"default"}}'
matches '"items":\[\]' ask GET '/api/v1/services?labelSelector=operated-prometheus%3Dtrue' $json
matches '"gitVersion": "v1' ask GET /version $json
version=$(ask GET /api/v1/namespaces $json | sed -nE 's/.*"kind":"NamespaceList","apiVersion":"v1","metadata":\{"resourceVersion":"([0-9]+)".*/\1/p')
curl -sS -N --max-time 5 "$url/api/v1/namespaces?watch=1&resourceVersion=$version" > "$work/watch" 2> /dev/null &
watcher=$!
k create namespace seen > "$work/out"
eventually matches '"type":"ADDED".*"name":"seen"' cat "$work/watch"
kill $watcher 2> /dev/null || true
stop_kubemu
