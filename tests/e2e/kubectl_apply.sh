# What people do to objects with kubectl: apply, diff, edit, replace, patch of each type, label, annotate, prune and
# set-last-applied, each with the words that kubectl prints.
# kubectl: ends
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral --controllers '*,-scheduler,-kubelet'

cat > "$work/web.yaml" << EOF
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web, part: course}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "nginx:1.25", env: [{name: A, value: "1"}, {name: B, value: "2"}]}
      - {name: side, image: busybox}
EOF
matches '^deployment.apps/web created$' k apply -f "$work/web.yaml"
matches '^deployment.apps/web unchanged$' k apply -f "$work/web.yaml"
k diff -f "$work/web.yaml" || fail "a difference where there is none"
sed -i 's/nginx:1.25/nginx:1.26/; s/{name: A, value: "1"}, //' "$work/web.yaml"
if difference=$(k diff -f "$work/web.yaml"); then fail "no difference"; fi
grep -qE '^\+ +- image: nginx:1.26|^\+ +image: nginx:1.26' <<< "$difference" || fail "$difference"
matches '^deployment.apps/web configured$' k apply -f "$work/web.yaml"
[ "$(k get deploy web -o jsonpath='{.spec.template.spec.containers[*].env[*].name} {.spec.template.spec.containers[0].image}')" = 'B nginx:1.26' ]
matches 'nginx:1.26' k apply view-last-applied -f "$work/web.yaml"
sed -i 's/replicas: 2/replicas: 3/' "$work/web.yaml"
matches 'configured' k apply set-last-applied -f "$work/web.yaml"
matches '^ *replicas: 3$' k apply view-last-applied deployment/web
[ "$(k get deploy web -o jsonpath='{.spec.replicas}')" = 2 ]

printf '#!/bin/sh\nsed -i "s/nginx:1.26/nginx:1.27/" "$1"\n' > "$work/editor" && chmod +x "$work/editor"
EDITOR=$work/editor matches '^deployment.apps/web edited$' k edit deployment web
printf '#!/bin/sh\nexit 0\n' > "$work/editor"
EDITOR=$work/editor matches 'Edit cancelled, no changes made' k edit deployment web
[ "$(k get deploy web -o jsonpath='{.spec.template.spec.containers[0].image}')" = nginx:1.27 ]

matches 'patched$' k patch deploy web -p '{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"busybox:1.36"}]}}}}'
matches 'patched \(no change\)' k patch deploy web -p '{"spec":{"replicas":2}}'
matches 'patched$' k patch deploy web --type=merge -p '{"spec":{"replicas":4}}'
matches 'patched$' k patch deploy web --type=json -p '[{"op":"test","path":"/spec/replicas","value":4},{"op":"replace","path":"/spec/replicas","value":1}]'
refused 'the server rejected our request due to an error in our request|The request is invalid' \
  k patch deploy web --type=json -p '[{"op":"remove","path":"/spec/none"}]'
[ "$(k get deploy web -o jsonpath='{.spec.replicas} {.spec.template.spec.containers[*].name}')" = '1 web side' ]

matches 'labeled$' k label deploy web tier=front
refused 'already has a value|--overwrite is false' k label deploy web tier=back
matches 'labeled$' k label deploy web tier=back --overwrite
matches '(un)?labeled$' k label deploy web tier-
matches 'annotated$' k annotate deploy web note='one two'
[ "$(k get deploy web -o jsonpath='{.metadata.labels.tier}{.metadata.annotations.note}')" = 'one two' ]

k get deploy web -o yaml > "$work/stored.yaml"
matches 'replaced$' k replace -f "$work/stored.yaml"
k annotate deploy web note=changed --overwrite > /dev/null
refused 'the object has been modified' k replace -f "$work/stored.yaml"
before=$(k get deploy web -o jsonpath='{.metadata.uid}')
matches 'replaced$' k replace --force -f "$work/web.yaml"
[ "$(k get deploy web -o jsonpath='{.metadata.uid}')" != "$before" ]
refused 'spec.selector.*field is immutable' k patch deploy web -p '{"spec":{"selector":{"matchLabels":{"app":"other"}},"template":{"metadata":{"labels":{"app":"other"}}}}}'

for n in 1 2; do k create configmap "c$n" --from-literal=n="$n" --dry-run=client -o yaml | sed 's/^metadata:/metadata:\n  labels: {set: p}/' > "$work/c$n.yaml"; done
mkdir "$work/set" && cp "$work"/c?.yaml "$work/set/"
k apply -l set=p -f "$work/set" > /dev/null
rm "$work/set/c2.yaml"
option=--prune-allowlist
[ "$(client_minor)" -ge 26 ] || option=--prune-whitelist
matches 'configmap/c2 pruned' k apply --prune -l set=p $option=core/v1/ConfigMap -f "$work/set"
matches '^c1 ' k get cm
lacks '^c2 ' k get cm
