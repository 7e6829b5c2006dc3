# Definitions that use what well-known projects put into theirs: each is established, its samples are accepted, and what
# its rules forbid is refused in the words that the sample tells ("# refused: <pattern>" above the object).
. "$(dirname "$0")/../../e2e/common.inc"
folder=$(cd "$(dirname "$0")" && pwd)
start_kubemu --ephemeral --nodes 0 --clock scaled=20
for definition in "$folder"/definitions/*.yaml; do
  k create -f "$definition" > "$work/out" 2>&1 || { cat "$work/out"; fail "$definition was refused"; }
done
k wait --for=condition=Established --timeout=30s crd --all > "$work/out"
matches 'True' k get crd -o 'jsonpath={.items[*].status.conditions[?(@.type=="NamesAccepted")].status}'
for samples in "$folder"/valid/*.yaml; do
  k create -f "$samples" > "$work/out" 2>&1 || { cat "$work/out"; fail "$samples was refused"; }
done

# split FILE: its documents as $work/documents/<number>.yaml.
split() {
  rm -rf "$work/documents"
  mkdir "$work/documents"
  awk -v folder="$work/documents" 'BEGIN { n = 1 } /^---$/ { n++; next } { print > (folder "/" n ".yaml") }' "$1"
}
# An old kubectl judges by the schema itself; what is asked here is what the server says.
minor=$(client_minor)
by_server=()
if [ "$minor" -lt 25 ]; then by_server=(--validate=false); fi
count=0
for samples in "$folder"/invalid/*.yaml; do
  split "$samples"
  for document in "$work"/documents/*.yaml; do
    pattern=$(sed -n 's/^# refused: //p' "$document")
    [ -n "$pattern" ] || fail "$samples does not say why it is refused: $(cat "$document")"
    refused "$pattern" k create "${by_server[@]}" -f "$document"
    count=$((count + 1))
  done
done
[ $count -gt 15 ] || fail "only $count objects were refused"

# Definitions that nobody should be able to make.
for definition in "$folder"/refused/*.yaml; do
  refused "$(sed -n 's/^# refused: //p' "$definition")" k create -f "$definition"
done

# Defaults, pruning and both versions of one object.
matches '^Standard 443$' k get listeners.v1.crds.example.com public -o 'jsonpath={.spec.class} {.spec.ports[0].number}{"\n"}'
k patch listener public --type merge -p '{"spec":{"unknownField":"pruned"}}' --field-manager test > "$work/out" 2>&1
lacks 'unknownField: pruned' k get listener public -o yaml
matches 'Warning: crds.example.com/v1alpha1 Listener is deprecated' k get listeners.v1alpha1.crds.example.com public
matches '^crds.example.com/v1alpha1$' k get listeners.v1alpha1.crds.example.com public -o 'jsonpath={.apiVersion}{"\n"}'
matches 'public +Standard +2' k get listeners

# Transitions: what rules say of old and new, and what was broken before and is left alone.
refused 'class is immutable' k patch listener public --type merge -p '{"spec":{"class":"Fast"}}'
k patch listener public --type merge -p '{"spec":{"labels":{"a.example.com/b":"c"}}}' > "$work/out"
refused 'ports may not shrink' k patch listener public --type json -p '[{"op":"remove","path":"/spec/ports/1"}]'
k patch recipe bread --type merge -p '{"spec":{"servings":4}}' > "$work/out"

# Quotas count instances, and owners of both sorts take what they own along.
k create quota few --hard=count/recipes.crds.example.com=2 > "$work/out"
eventually matches '^1$' k get quota few -o 'jsonpath={.status.used.count/recipes\.crds\.example\.com}{"\n"}'
owned() { # RESOURCE NAME NEW-NAME API-VERSION KIND
  local uid
  uid=$(k get "$1" "$2" -o 'jsonpath={.metadata.uid}')
  sed "s|^  name: .*|  name: $3\n  ownerReferences: [{apiVersion: $4, kind: $5, name: $2, uid: $uid}]|" "$folder/valid/recipe.yaml" | k create -f - > "$work/out"
}
k create configmap book > "$work/out"
owned configmap book cake v1 ConfigMap
refused 'exceeded quota: few, requested: count/recipes.crds.example.com=1, used: count/recipes.crds.example.com=2, limited: count/recipes.crds.example.com=2' \
  owned recipe cake icing crds.example.com/v1 Recipe
k delete quota few > "$work/out"
owned recipe cake icing crds.example.com/v1 Recipe
k delete configmap book > "$work/out"
eventually lines 1 k get recipes -o name
stop_kubemu
