# kubectl: one
# What the cluster calls over HTTPS: webhooks of admission and of conversion, an aggregated API server; and policies.
. "$(dirname "$0")/common.inc"
command -v python3 > /dev/null || { echo "skipped: no python3"; exit 0; }
hook_pid=
start_hook() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=hook -keyout "$work/key.pem" \
    -out "$work/cert.pem" -addext 'subjectAltName=DNS:hook.default.svc,IP:127.0.0.1' 2> /dev/null
  python3 "$(dirname "$0")/webhook_server.py" "$work/cert.pem" "$work/key.pem" "$1" > "$work/port" &
  hook_pid=$!
  until [ -s "$work/port" ]; do pause 0.05; done
  port=$(cat "$work/port")
  ca=$(base64 -w0 "$work/cert.pem")
}
trap 'code=$?; set +e; [ -n "$hook_pid" ] && kill "$hook_pid" 2> /dev/null; (exit $code); on_exit' EXIT

# Each is told of the other's port when it starts, so one of them has to be chosen before.
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
api_port=$(free_port)
start_hook "http://127.0.0.1:$api_port"
: > "$work/ready"
"$KUBEMU" serve --http "127.0.0.1:$api_port" --ephemeral --service-address "default/hook=127.0.0.1:$port" \
  --audit-log-path "$work/audit" > "$work/ready" 2> "$work/server.log" &
server_pid=$!
until grep -q ready "$work/ready"; do kill -0 "$server_pid"; pause 0.02; done
url=http://127.0.0.1:$api_port
"$KUBEMU" kubeconfig --server "$url" > "$work/kubeconfig"
export KUBECONFIG=$work/kubeconfig

# configure KIND NAME PATH [MORE]: one webhook about config maps of namespaces with the label hooked.
configure() {
  k apply -f - > /dev/null <<EOF
apiVersion: admissionregistration.k8s.io/v1
kind: ${1}WebhookConfiguration
metadata: {name: $2}
webhooks:
- name: $2.example.com
  clientConfig: {${4:-url: "https://127.0.0.1:$port$3"}, caBundle: $ca}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [configmaps]}]
  namespaceSelector: {matchLabels: {hooked: "yes"}}
  sideEffects: None
  admissionReviewVersions: [v1]
  timeoutSeconds: 1
EOF
}
k create namespace busy > /dev/null
k label namespace busy hooked=yes > /dev/null
unconfigure() { k delete "$1webhookconfiguration" "$2" > /dev/null; }

configure Mutating change /mutate
configure Validating check /validate "service: {namespace: default, name: hook, path: /validate}"
matches 'Warning: seen by /validate' k create configmap one -n busy
[ "$(k get configmap one -n busy -o jsonpath='{.metadata.labels.mutated}')" = yes ]
# noted PATTERN: the audit log's last line about configmaps of the namespace busy has it.
noted() { matches "$1" grep '"namespace":"busy","resource":"configmaps"' "$work/audit"; }
noted '"check.example.com/asked":"by /validate"'
noted '"mutation.webhook.admission.k8s.io/round_0_index_0":"[^}]*mutated[^}]*true'
k create configmap one -n default > /dev/null
[ -z "$(k get configmap one -n default -o jsonpath='{.metadata.labels.mutated}')" ]
refused 'admission webhook "check.example.com" denied the request: the label refuse is set' k label configmap one -n busy refuse=x
# What the controllers write passes through them too: the certificate that every namespace gets.
k create -f - > /dev/null <<'EOF'
apiVersion: v1
kind: Namespace
metadata: {name: late, labels: {hooked: "yes"}}
EOF
eventually matches yes k get configmap kube-root-ca.crt -n late -o jsonpath='{.metadata.labels.mutated}'
unconfigure validating check
unconfigure mutating change

configure Validating check /callback
k create configmap two -n busy > /dev/null
for case in '/slow context deadline exceeded' '/garbage invalid character' '/liar expected response.uid='; do
  configure Validating check "${case%% *}"
  refused "failed calling webhook \"check.example.com\": .*${case#* }" k create configmap three -n busy
done
k patch validatingwebhookconfiguration check --type=json -p '[{"op":"replace","path":"/webhooks/0/failurePolicy","value":"Ignore"}]' > /dev/null
k create configmap three -n busy > /dev/null
unconfigure validating check
ca=
configure Validating check /validate
refused 'x509: certificate signed by unknown authority' k create configmap four -n busy
unconfigure validating check
ca=$(base64 -w0 "$work/cert.pem")
configure Validating elsewhere /validate "url: \"https://localhost:$port/validate\""
refused 'x509: certificate is valid for hook.default.svc, not localhost' k create configmap four -n busy
unconfigure validating elsewhere

# Who is sent elsewhere goes there: with the request, or, as net/http does after a 302, without.
configure Validating check /moved
matches 'Warning: seen by /validate' k create configmap moved -n busy
configure Validating check /found
refused 'the server could not find the requested resource' k create configmap found -n busy
configure Validating check /circle
refused 'circle\": stopped after 10 redirects' k create configmap circle -n busy
unconfigure validating check

# Tokens are asked about too.
k apply -f - > /dev/null <<EOF
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: tokens}
webhooks:
- name: tokens.example.com
  clientConfig: {url: "https://127.0.0.1:$port/never", caBundle: $ca}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [serviceaccounts/token]}]
  sideEffects: None
  admissionReviewVersions: [v1]
EOF
refused 'admission webhook "tokens.example.com" denied the request: never' \
  k create --raw /api/v1/namespaces/default/serviceaccounts/default/token -f - <<< '{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}'
unconfigure validating tokens

# A webhook that hangs holds up those alone whose writes it is asked about.
k apply -f - > /dev/null <<EOF
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: hangs}
webhooks:
- name: hangs.example.com
  clientConfig: {url: "https://127.0.0.1:$port/slow", caBundle: $ca}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
  namespaceSelector: {matchLabels: {hooked: "yes"}}
  sideEffects: None
  admissionReviewVersions: [v1]
  timeoutSeconds: 10
EOF
k create deployment held --image=busybox -n busy > /dev/null
k create deployment held-too --image=busybox -n busy > /dev/null
renewed() { k get leases -n kube-node-lease -o jsonpath='{.items[*].spec.renewTime}'; }
before=$(renewed)
began=$SECONDS
k create deployment free --image=nginx --replicas=3 > /dev/null
k rollout status deployment/free --timeout=9s > /dev/null
[ $((SECONDS - began)) -lt 9 ]
[ "$(k get pods -n busy -o name | wc -l)" = 0 ]

k apply -f - > /dev/null <<'EOF'
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: few}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments, deployments/scale]}]}
  validations: [{expression: object.spec.replicas <= 3, messageExpression: "'at most 3, not ' + string(object.spec.replicas)"}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: everywhere}
spec: {policyName: few, validationActions: [Deny]}
EOF
k create deployment web --image=busybox --replicas=2 > /dev/null
refused "ValidatingAdmissionPolicy 'few' with binding 'everywhere' denied request: at most 3, not 5" k scale deployment web --replicas=5
refused "at most 3, not 4" k create deployment other --image=busybox --replicas=4
refused "undeclared reference to 'objekt'" k patch validatingadmissionpolicy few --type=json -p '[{"op":"replace","path":"/spec/validations/0/expression","value":"objekt.spec"}]'

# definition PATH: widgets in two versions, between which a webhook converts.
definition() {
  k apply -f - > /dev/null <<EOF
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  names: {plural: widgets, kind: Widget}
  scope: Namespaced
  conversion:
    strategy: Webhook
    webhook: {conversionReviewVersions: [v1], clientConfig: {url: "https://127.0.0.1:$port$1", caBundle: $(base64 -w0 "$work/cert.pem")}}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {hostPort: {type: string}}}}}}}
  - {name: v2, served: true, storage: false, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {host: {type: string}, port: {type: string}}}}}}}
EOF
}
definition /convert
k wait --for condition=established crd/widgets.example.com > /dev/null
k create -f - > /dev/null <<'EOF'
apiVersion: example.com/v2
kind: Widget
metadata: {name: a}
spec: {host: local, port: "80"}
EOF
[ "$(k get widgets.v1.example.com a -o jsonpath='{.spec.hostPort}')" = local:80 ]
[ "$(k get widgets.v2.example.com -o jsonpath='{.items[*].spec.host}')" = local ]
# Those who watch see their version, too.
curl -sN "$url/apis/example.com/v2/widgets?watch=1&timeoutSeconds=30" > "$work/watched" &
beside+=($!)
eventually matches '"ADDED".*"host":"local","port":"80"' cat "$work/watched"
k patch widgets.v2.example.com a --type=merge -p '{"spec":{"port":"81"}}' > /dev/null
eventually matches '"MODIFIED".*"host":"local","port":"81"' cat "$work/watched"
[ "$(k get widgets.v1.example.com a -o jsonpath='{.spec.hostPort}')" = local:81 ]
definition /convert-less
k patch widgets.v1.example.com a --type=merge -p '{"spec":{"hostPort":"x:1"}}' > /dev/null
eventually refused 'conversion webhook for example.com/v1, Kind=Widget returned 0 objects, expected 1' k get widgets.v2.example.com a
definition /convert-wrong
eventually refused 'invalid object at index 0: invalid groupVersion \(expected example.com/v2, received example.com/v9\)' k get widgets.v2.example.com a

k create service clusterip hook --tcp=443:443 > /dev/null
k apply -f - > /dev/null <<EOF
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.wardle.example.com}
spec:
  group: wardle.example.com
  version: v1
  groupPriorityMinimum: 1000
  versionPriority: 15
  service: {namespace: default, name: hook}
  caBundle: $(base64 -w0 "$work/cert.pem")
EOF
k wait --for condition=available apiservice/v1.wardle.example.com > /dev/null
matches '^flunders ' k api-resources --api-group=wardle.example.com
eventually matches 'In flunders an hour' k explain flunders.spec.speed
eventually matches '"com.example.wardle.v1.Flunder"' k get --raw /openapi/v2
matches '"apis/wardle.example.com/v1":' k get --raw /openapi/v3
[ "$(k get flunders one -o jsonpath='{.metadata.annotations.user}')" = admin ]
# It stands among the groups where its priority puts it.
[ "$(k get --raw /apis | python3 -c 'import json, sys; print([g["name"] for g in json.load(sys.stdin)["groups"]][-3:])')" = "['wardle.example.com', 'kwok.x-k8s.io', 'metrics.k8s.io']" ]
# Its encodings, its streams and its other protocols are its own.
flunders=$url/apis/wardle.example.com/v1
curl -s -H 'Accept: application/vnd.kubernetes.protobuf' -D "$work/head" "$flunders/namespaces/default/flunders/one" > "$work/body"
grep -qi '^content-type: application/vnd.kubernetes.protobuf' "$work/head"
grep -qi '^x-flunder: yes' "$work/head"
printf 'k8s\0flunder' | cmp - "$work/body"
curl -sN "$flunders/flunders?watch=1" > "$work/flunders" &
beside+=($!)
eventually matches '"name":"first"' cat "$work/flunders"
lacks '"name":"second"' cat "$work/flunders"
k get --raw /apis/wardle.example.com/v1/next > /dev/null
eventually matches '"name":"second"' cat "$work/flunders"
proxied=/api/v1/namespaces/default/services/https:hook:443/proxy
for place in "$flunders/echo" "$url$proxied/echo"; do python3 "$(dirname "$0")/echo_client.py" "$place"; done
matches '"name": "one"' k get --raw "$proxied/apis/wardle.example.com/v1/namespaces/default/flunders/one"
# By now the write that a webhook has held up has ended.
held() { matches "FailedCreate.*failed calling webhook \"hangs.example.com\": .*context deadline exceeded" k get events -n busy; }
eventually held
changed() { [ "$(renewed)" != "$before" ]; }
eventually changed
kill "$hook_pid"
k patch apiservice v1.wardle.example.com --type=merge -p '{"spec":{"versionPriority":16}}' > /dev/null
eventually matches FailedDiscoveryCheck k get apiservice v1.wardle.example.com
refused 'the server is currently unable to handle the request' k get --raw /apis/wardle.example.com/v1
