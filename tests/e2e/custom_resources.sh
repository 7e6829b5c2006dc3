# kubectl: ends
# Kinds of one's own: a definition with all that it may say, its instances, and what is left of both after a restart.
. "$(dirname "$0")/common.inc"
start_kubemu --db "$work/state.db"

cat > "$work/crd.yaml" << EOF
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: bakeries.example.com
spec:
  group: example.com
  scope: Namespaced
  names: {plural: bakeries, singular: bakery, kind: Bakery, shortNames: [bk], categories: [all, shops]}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          description: A shop that bakes.
          required: [spec]
          properties:
            spec:
              type: object
              description: What is wanted of it.
              required: [town]
              x-kubernetes-validations:
                - {rule: 'self.ovens >= size(self.staff) - 5 || !has(self.staff)', message: too many people}
                - {rule: 'self.ovens >= oldSelf.ovens || oldSelf.ovens - self.ovens < 5', message: ovens leave slowly, fieldPath: .ovens}
              properties:
                town: {type: string, minLength: 2, maxLength: 30, pattern: '^[A-Z]'}
                ovens: {type: integer, minimum: 0, maximum: 20, default: 1}
                port: {x-kubernetes-int-or-string: true}
                opens: {type: string, format: date-time}
                kind: {type: string, enum: [bread, cake], default: bread}
                notes: {type: object, x-kubernetes-preserve-unknown-fields: true}
                prices: {type: object, additionalProperties: {type: number}}
                staff:
                  type: array
                  maxItems: 50
                  x-kubernetes-list-type: map
                  x-kubernetes-list-map-keys: [name]
                  items:
                    type: object
                    required: [name]
                    x-kubernetes-validations:
                      - {rule: 'self.name != self.role', messageExpression: '"nobody is called " + self.role'}
                    properties:
                      name: {type: string, maxLength: 40}
                      role: {type: string, maxLength: 40, default: baker}
            status:
              type: object
              properties:
                ovens: {type: integer}
                selector: {type: string}
                conditions:
                  type: array
                  items:
                    type: object
                    properties: {type: {type: string}, status: {type: string}}
      subresources:
        status: {}
        scale: {specReplicasPath: .spec.ovens, statusReplicasPath: .status.ovens, labelSelectorPath: .status.selector}
      selectableFields: [{jsonPath: .spec.town}]
      additionalPrinterColumns:
        - {name: Town, type: string, jsonPath: .spec.town}
        - {name: Ovens, type: integer, jsonPath: .spec.ovens}
        - {name: Staff, type: string, jsonPath: '.spec.staff[*].name', priority: 1}
        - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
    - name: v1beta1
      served: true
      storage: false
      deprecated: true
      schema:
        openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}
EOF
k apply -f "$work/crd.yaml"
k wait --for=condition=Established crd/bakeries.example.com --timeout=10s
matches '^bakeries +bk +example.com/v1 +true +Bakery' k api-resources --api-group=example.com
matches '^bakeries.example.com +[0-9]{4}-' k get crd

cat > "$work/bakery.yaml" << EOF
apiVersion: example.com/v1
kind: Bakery
metadata: {name: corner, labels: {street: main}}
spec:
  town: Lyon
  port: http
  notes: {any: [thing, 1]}
  prices: {roll: 0.5}
  staff: [{name: ann}, {name: bob, role: sales}]
EOF
k apply -f "$work/bakery.yaml"
matches '^NAME +TOWN +OVENS +AGE' k get bk
matches '^corner +Lyon +1 +[0-9]+s' k get bakery corner
matches '^corner +Lyon +1 +ann' k get bakeries -o wide
matches 'bakery.example.com/corner' k get shops -o name
matches 'bakery.example.com/corner' k get all -o name
matches '^Kind: +Bakery' k describe bk corner
[ "$(k get bk corner -o jsonpath='{.spec.kind} {.spec.staff[0].role} {.spec.notes.any[1]}')" = 'bread baker 1' ]
matches 'What is wanted of it' k explain bakery.spec
matches 'ovens.*<integer>' k explain bakery.spec
# kubectl sees a list that lacks what was defaulted and patches it; nothing changes by that.
revision=$(k get bk corner -o jsonpath='{.metadata.resourceVersion}')
k apply -f "$work/bakery.yaml"
[ "$(k get bk corner -o jsonpath='{.metadata.resourceVersion}')" = "$revision" ]

# What the schema does not allow, and what it does not know.
refused 'spec.town: Invalid value: "lyon": spec.town in body should match' k patch bk corner --type=merge -p '{"spec":{"town":"lyon"}}'
refused 'spec.ovens: Invalid value: 21: spec.ovens in body should be less than or equal to 20' k patch bk corner --type=merge -p '{"spec":{"ovens":21}}'
refused 'spec.kind: Unsupported value: "pie": supported values: "bread", "cake"' k patch bk corner --type=merge -p '{"spec":{"kind":"pie"}}'
refused 'strategic-merge-patch.json is not supported by example.com/v1, Kind=Bakery|accepted media types include: application/json-patch' k patch bk corner --type=strategic -p '{"spec":{"ovens":2}}'
refused 'nobody is called bob' k patch bk corner --type=merge -p '{"spec":{"staff":[{"name":"bob","role":"bob"}]}}'
matches 'unknown field ..spec.tawn' curl -s -X PATCH -H 'Content-Type: application/merge-patch+json' -d '{"spec":{"tawn":"x"}}' \
  "$url/apis/example.com/v1/namespaces/default/bakeries/corner?fieldValidation=Strict"
k patch bk corner --type=json -p '[{"op":"replace","path":"/spec/town","value":"Paris"}]'

# Subresources.
generation=$(k get bk corner -o jsonpath='{.metadata.generation}')
k scale bk corner --replicas=3
[ "$(k get bk corner -o jsonpath='{.spec.ovens} {.metadata.generation}')" = "3 $((generation + 1))" ]
k scale bk corner --replicas=10
refused 'spec.ovens: .*ovens leave slowly' k scale bk corner --replicas=3
k scale bk corner --replicas=6
k scale bk corner --replicas=3
status='{"status":{"ovens":3,"conditions":[{"type":"Ready","status":"True"}]}}'
if [ "$(client_minor)" -ge 24 ]; then
  k patch bk corner --subresource=status --type=merge -p "$status"
else
  curl -sf -X PATCH -H 'Content-Type: application/merge-patch+json' -d "$status" \
    "$url/apis/example.com/v1/namespaces/default/bakeries/corner/status" > /dev/null
fi
k wait --for=condition=Ready bk/corner --timeout=10s
[ "$(k get bk corner -o jsonpath='{.metadata.generation}')" = $((generation + 4)) ]

# Server-side apply goes by the keys of lists.
apply_as() {
  echo '{"apiVersion": "example.com/v1", "kind": "Bakery", "metadata": {"name": "shared"}, "spec": '"$2"'}' |
    k apply --server-side --field-manager="$1" -f -
}
apply_as one '{"town": "Paris", "staff": [{"name": "ann"}]}'
apply_as two '{"ovens": 4, "staff": [{"name": "cid"}], "town": "Paris"}'
[ "$(k get bk shared -o jsonpath='{.spec.staff[*].name}')" = 'ann cid' ]
refused 'conflict with "one": .spec.staff\[name="ann"\].role|conflict with "one"' apply_as two '{"town": "Nice", "staff": [{"name": "cid"}]}'
apply_as one '{"town": "Paris"}'
[ "$(k get bk shared -o jsonpath='{.spec.staff[*].name}')" = cid ]

# The other version.
matches 'example.com/v1beta1 Bakery is deprecated; use example.com/v1 Bakery' k get bakeries.v1beta1.example.com corner
[ "$(k get bakeries.v1beta1.example.com corner -o jsonpath='{.apiVersion}' 2>/dev/null)" = example.com/v1beta1 ]

# Everything is there after a restart, and the older object gets a default that came later.
stop_kubemu
start_kubemu --db "$work/state.db"
matches '^corner +Paris +3 ' k get bk
lines 2 k get bk --field-selector spec.town=Paris -o name
lines 0 k get bk --field-selector spec.town=Lyon -o name
refused 'field label not supported: spec.ovens' k get bk --field-selector spec.ovens=3
sed -i 's/notes: {type: object/door: {type: string, default: green}\n                notes: {type: object/' "$work/crd.yaml"
k apply -f "$work/crd.yaml"
eventually 10 matches '^green$' k get bk corner -o jsonpath='{.spec.door}{"\n"}'

# Owners' dependents and namespaces' contents go as other objects do.
k create namespace street
k apply -n street -f "$work/bakery.yaml"
uid=$(k get bk corner -o jsonpath='{.metadata.uid}')
k apply -f - << EOF
{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "owned", "ownerReferences": [{"apiVersion": "example.com/v1", "kind": "Bakery", "name": "corner", "uid": "$uid"}]}}
EOF
k delete namespace street --timeout=30s
lines 0 k get bk -n street -o name
k delete bk corner --timeout=10s
eventually 20 refused 'NotFound' k get configmap owned

# What was answered is there after a kill, definition and instance, and is served at once.
k apply -f "$work/bakery.yaml"
uid=$(k get bk corner -o jsonpath='{.metadata.uid}')
kill -9 "$server_pid"; wait "$server_pid" || true; server_pid=
start_kubemu --db "$work/state.db"
matches '^bakeries.example.com +[0-9]{4}-' k get crd
[ "$(k get bk corner -o jsonpath='{.metadata.uid}')" = "$uid" ]

# The instances go with their definition, and the kind with both.
k delete crd bakeries.example.com --timeout=20s
refused "the server doesn't have a resource type|could not find" k get bk
lacks 'bakeries' k api-resources
