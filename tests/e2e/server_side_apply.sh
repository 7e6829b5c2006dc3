# Server-side apply: owners of fields, conflicts that name them, force, removal, dry runs, and the way from client-side
# apply.
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral --controllers '*,-scheduler,-kubelet'

manifest() {
  cat << EOF
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {team: $2}}
spec:
  replicas: $1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: nginx:$3
EOF
}
owners() { k get deployment web --show-managed-fields -o jsonpath='{range .metadata.managedFields[*]}{.manager}/{.operation} {end}' 2> /dev/null ||
  k get deployment web -o jsonpath='{range .metadata.managedFields[*]}{.manager}/{.operation} {end}'; }

manifest 2 a 1.25 | k apply --server-side --field-manager=team-a -f -
matches 'team-a/Apply' owners
[ "$(k get deployment web -o jsonpath='{.spec.replicas} {.spec.strategy.type}')" = '2 RollingUpdate' ]

# Another manager wants other values.
if refused=$(manifest 3 a 1.26 | k apply --server-side --field-manager=team-b -f - 2>&1); then fail "no conflict: $refused"; fi
grep -q 'Apply failed with 2 conflicts: conflicts with "team-a"' <<< "$refused" || fail "$refused"
grep -q '^- .spec.template.spec.containers\[name="web"\].image$' <<< "$refused" || fail "$refused"
[ "$(k get deployment web -o jsonpath='{.spec.replicas}')" = 2 ]
manifest 3 a 1.26 | k apply --server-side --field-manager=team-b --force-conflicts -f -
[ "$(k get deployment web -o jsonpath='{.spec.replicas} {.spec.template.spec.containers[0].image}')" = '3 nginx:1.26' ]
matches 'team-b/Apply' owners

# What the only owner leaves out goes; what scale wrote belongs to the one who scaled.
k scale deployment web --replicas=4
manifest 3 a 1.26 | sed '/replicas/d; s/, labels: {team: a}//' | k apply --server-side --field-manager=team-b -f -
[ "$(k get deployment web -o jsonpath='{.spec.replicas} {.metadata.labels.team}')" = '4 a' ]
manifest 2 a 1.25 | sed '/replicas/d; /image/d; /containers/d; /name: web$/d; s/, labels: {team: a}//' |
  sed '/    spec:/d' | k apply --server-side --field-manager=team-a -f -
[ "$(k get deployment web -o jsonpath='{.spec.replicas} {.metadata.labels.team}')" = '4 ' ]

# A dry run changes nothing.
manifest 9 a 1.26 | k apply --server-side --field-manager=team-b --force-conflicts --dry-run=server -f -
[ "$(k get deployment web -o jsonpath='{.spec.replicas}')" = 4 ]

# From client-side apply to server-side apply without a conflict.
k create configmap moved --from-literal=k=1 --dry-run=client -o yaml | k apply -f -
k create configmap moved --from-literal=k=2 --dry-run=client -o yaml | k apply --server-side -f -
[ "$(k get configmap moved -o jsonpath='{.data.k}')" = 2 ]
