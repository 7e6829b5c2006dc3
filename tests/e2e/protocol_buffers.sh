# kubectl: one
# Protocol Buffers in both directions, held against protoc and messages written for this test (protocol_buffers.proto).
. "$(dirname "$0")/common.inc"
command -v protoc > /dev/null || { echo "skipped: there is no protoc"; exit 0; }
here=$(cd "$(dirname "$0")" && pwd)
start_kubemu --ephemeral --nodes 0

type=application/vnd.kubernetes.protobuf
core=$url/api/v1/namespaces/default
# code CURL-ARGUMENT...: the answer's code and type; its body is in $work/json.
code() { curl -s -o "$work/json" -w '%{http_code} %{content_type}' "$@"; }
protoc_with() { protoc "$1" --proto_path="$here" "$here/protocol_buffers.proto"; }
# get PATH MESSAGE [ACCEPT]: the answer as protoc's text, in $work/text; its bytes without "k8s\0" in $work/message.
get() {
  curl -sf -H "Accept: ${3:-$type}" "$1" > "$work/answer" || curl -s -H "Accept: ${3:-$type}" "$1" > "$work/answer"
  [ "$(head -c 4 "$work/answer" | od -An -tx1 | tr -d ' ')" = 6b387300 ] || fail "no envelope: $(head -c 200 "$work/answer")"
  tail -c +5 "$work/answer" > "$work/message"
  protoc_with "--decode=kubemu.test.$2Envelope" < "$work/message" > "$work/text"
}
# says LINE...: the text has these lines, whatever their indentation.
says() {
  local line
  for line in "$@"; do sed 's/^ *//' "$work/text" | grep -qxF -- "$line" || fail "no '$line' in: $(cat "$work/text")"; done
}
# same_again MESSAGE: protoc writes the same bytes of what it read, so all fields are known to it, and in order.
same_again() {
  protoc_with "--encode=kubemu.test.$1Envelope" < "$work/text" | cmp - "$work/message" || fail "other bytes for $1: $(cat "$work/text")"
}
# post PATH MESSAGE < TEXT: creates it from what protoc writes.
post() {
  { printf 'k8s\0'; protoc_with "--encode=kubemu.test.$2Envelope"; } > "$work/body"
  [ "$(code -X POST -H "Content-Type: $type" --data-binary "@$work/body" "$core/$1")" = "201 application/json" ] ||
    fail "not accepted: $(cat "$work/json")"
}
json_has() { grep -qF -- "$1" "$work/json" || fail "no $1 in: $(cat "$work/json")"; }

# In: zero values as Go's clients send them, bytes, times with fractions, quantities, numbers or texts.
post configmaps ConfigMap <<'TEXT'
meta { apiVersion: "v1" kind: "ConfigMap" } encoding: "" type: ""
object {
  metadata { name: "c" generateName: "" namespace: "" generation: 0 creationTimestamp {} labels { key: "b" value: "2" } labels { key: "a" value: "1" } }
  data { key: "text" value: "\"<\303\244>\"\n" } binaryData { key: "bytes" value: "\000\377" } immutable: false
}
TEXT
json_has '"labels":{"a":"1","b":"2"}'
json_has '"data":{"text":"\"\u003cä\u003e\"\n"},"binaryData":{"bytes":"AP8="}'
json_has '"immutable":false'
post secrets Secret <<'TEXT'
meta { apiVersion: "v1" kind: "Secret" } object { metadata { name: "s" } data { key: "k" value: "v" } data { key: "none" value: "" } type: "" }
TEXT
json_has '"data":{"k":"dg==","none":""},"type":"Opaque"'
core=$url/apis/coordination.k8s.io/v1/namespaces/default post leases Lease <<'TEXT'
meta { apiVersion: "coordination.k8s.io/v1" kind: "Lease" }
object { metadata { name: "l" } spec { holderIdentity: "me" leaseDurationSeconds: 15 renewTime { seconds: 1700000000 nanos: 123456789 } } }
TEXT
json_has '"renewTime":"2023-11-14T22:13:20.123456Z"'
core=$url/apis/apps/v1/namespaces/default post controllerrevisions ControllerRevision <<'TEXT'
meta { apiVersion: "apps/v1" kind: "ControllerRevision" } object { metadata { name: "r" } data { raw: "{\"a\":[1,null]}" } revision: 300 }
TEXT
json_has '"data":{"a":[1,null]},"revision":300'
post resourcequotas ResourceQuota <<'TEXT'
meta { apiVersion: "v1" kind: "ResourceQuota" } object { metadata { name: "q" } spec { hard { key: "requests.storage" value { string: "1.5" } } hard { key: "services.loadbalancers" value {} } } }
TEXT
json_has '"hard":{"requests.storage":"1500m","services.loadbalancers":"0"}'
post services Service <<'TEXT'
meta { apiVersion: "v1" kind: "Service" }
object { metadata { name: "svc" } spec {
  ports { name: "n" port: 80 targetPort { type: 0 intVal: 8080 strVal: "" } } ports { name: "t" port: 81 targetPort { type: 1 intVal: 0 strVal: "web" } }
  selector { key: "app" value: "x" } } }
TEXT
json_has '"targetPort":8080'
json_has '"targetPort":"web"'
post pods Pod <<'TEXT'
meta { apiVersion: "v1" kind: "Pod" }
object { metadata { name: "p" } spec { containers { name: "c" image: "i" livenessProbe { handler { httpGet { path: "/" port { type: 1 strVal: "http" } } } } } } }
TEXT
json_has '"livenessProbe":{"httpGet":{"path":"/","port":"http","scheme":"HTTP"}'

# Out: every field that Go writes, in its order.
get "$core/configmaps/c" ConfigMap
says 'apiVersion: "v1"' 'kind: "ConfigMap"' 'name: "c"' 'selfLink: ""' 'generation: 0' 'value: "\000\377"' 'immutable: false' 'fieldsType: "FieldsV1"'
same_again ConfigMap
get "$core/secrets/s" Secret && says 'value: "v"' 'type: "Opaque"' && same_again Secret
get "$url/apis/coordination.k8s.io/v1/namespaces/default/leases/l" Lease
says 'leaseDurationSeconds: 15' 'seconds: 1700000000' 'nanos: 123456000' && same_again Lease
get "$url/apis/apps/v1/namespaces/default/controllerrevisions/r" ControllerRevision
says 'raw: "{\"a\":[1,null]}"' 'revision: 300' && same_again ControllerRevision
get "$core/resourcequotas/q" ResourceQuota && says 'string: "1500m"' 'string: "0"' && same_again ResourceQuota
get "$core/services/svc" Service && says 'intVal: 8080' 'strVal: "web"' 'type: "ClusterIP"' 'loadBalancerIP: ""' && same_again Service
get "$core/pods/p" Pod && says 'restartPolicy: "Always"' 'scheme: "HTTP"' 'periodSeconds: 10' '16: 0'
get "$core/configmaps?fieldSelector=metadata.name=c" ConfigMapList
says 'kind: "ConfigMapList"' 'selfLink: ""' && same_again ConfigMapList
get "$core/configmaps?fieldSelector=metadata.name=c" PartialList "$type;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
says 'apiVersion: "meta.k8s.io/v1"' 'kind: "PartialObjectMetadataList"' 'name: "c"' && same_again PartialList
get "$core/configmaps/none" Status && says 'reason: "NotFound"' 'code: 404' 'kind: "configmaps"' && same_again Status

# A watch: frames of four bytes of length and an event; the first is read with the length that it says.
curl -sN -H "Accept: $type" "$core/configmaps?watch=1&fieldSelector=metadata.name=c&timeoutSeconds=1" > "$work/watch" || true
length=$((16#$(head -c 4 "$work/watch" | od -An -tx1 | tr -d ' ')))
tail -c +5 "$work/watch" | head -c "$length" > "$work/event"
protoc --decode=kubemu.test.WatchEvent --proto_path="$here" "$here/protocol_buffers.proto" < "$work/event" > "$work/text"
says 'type: "ADDED"'
grep -qF 'raw: "k8s\000' "$work/text"
# What stands in an event is what a GET answers.
get "$core/configmaps/c" ConfigMap
tail -c "$(stat -c %s "$work/answer")" "$work/event" | cmp - "$work/answer"

# Options of a deletion; then what is refused, and how.
uid=$(curl -s "$core/configmaps/c" | sed -E 's/.*"uid":"([^"]+)".*/\1/')
{ printf 'k8s\0'; echo "meta { apiVersion: \"v1\" kind: \"DeleteOptions\" } object { preconditions { uid: \"$uid\" } }" |
  protoc_with --encode=kubemu.test.DeleteOptionsEnvelope; } > "$work/body"
curl -sf -X DELETE -H "Content-Type: $type" --data-binary "@$work/body" "$core/configmaps/c" | grep -qF '"status":"Success"'
[ "$(code -H "Accept: $type;as=Table;g=meta.k8s.io;v=v1" "$core/pods")" = "406 application/json" ]
json_has 'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf'
[ "$(code -X POST -H "Content-Type: $type" --data-binary 'k8s' "$core/configmaps")" = "400 application/json" ]
[ "$(code -X POST -H 'Content-Type: application/cbor' -d x "$core/configmaps")" = "415 application/json" ]
