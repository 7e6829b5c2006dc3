# Who asks and what they may: denials, grants, reviews, tokens of service accounts, impersonation.
. "$(dirname "$0")/common.inc"
printf 'secret-of-ann,ann,7,"dev"\n' > "$work/tokens.csv"
start_kubemu --ephemeral --token-auth-file "$work/tokens.csv"

# Without credentials one is the administrator; as somebody else one may nothing until it is granted.
[ "$(k auth can-i '*' '*')" = yes ]
denied=$(k get pods --as ann 2>&1) && fail "ann could list pods"
[[ $denied = *'pods is forbidden: User "ann" cannot list resource "pods" in API group "" in the namespace "default"'* ]] || fail "$denied"
k create rolebinding ann-views --clusterrole view --user ann
eventually k get pods --as ann
[ "$(k auth can-i delete pods --as ann || true)" = no ]
k auth can-i --list --as ann > "$work/list"
grep -q '^configmaps .*\[get list watch\]' "$work/list"
escalation=$(k create rolebinding more --clusterrole admin --user ann --as ann 2>&1) && fail "ann could grant"
[[ $escalation = *'rolebindings.rbac.authorization.k8s.io is forbidden: User "ann" cannot create resource "rolebindings"'* ]] || fail "$escalation"
k auth reconcile -f - << 'Y'
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reconciled, namespace: default}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
Y
k get role reconciled

# get PATH TOKEN: the code; the body is in $work/body.
get() { curl -s -o "$work/body" -w '%{http_code}' -H "Authorization: Bearer $2" "$url$1"; }
[ "$(get /api/v1/namespaces/default/pods secret-of-ann)" = 200 ]
[ "$(get /api/v1/nodes secret-of-ann)" = 403 ]
[ "$(get /api wrong)" = 401 ]
grep -q '"reason":"Unauthorized"' "$work/body"

# A service account's token: made, checked, void without its account.
k create serviceaccount bot
eventually k get serviceaccount bot
post() { curl -s -X POST -H 'Content-Type:' "$url$1" -d "$2"; }  # no Content-Type means JSON
token=$(post /api/v1/namespaces/default/serviceaccounts/bot/token '{}' | sed -nE 's/.*"token":"([^"]+)".*/\1/p')
asked=$(k create token bot --duration 10m 2> /dev/null) && token=$asked  # since kubectl 1.24
[ "$(get /api/v1/namespaces/default/pods "$token")" = 403 ]
grep -q 'User \\"system:serviceaccount:default:bot\\" cannot list' "$work/body"
review=$(post /apis/authentication.k8s.io/v1/tokenreviews "{\"spec\":{\"token\":\"$token\"}}")
[[ $review = *'"authenticated":true'*'"username":"system:serviceaccount:default:bot"'* ]] || fail "$review"
curl -s "$url/openid/v1/jwks" | grep -q '"alg":"RS256"'
k delete serviceaccount bot
[ "$(get /api "$token")" = 401 ]

# Nobody is let in unnamed where that is said.
stop_kubemu
start_kubemu --ephemeral --anonymous-auth true
[ "$(curl -s -o /dev/null -w '%{http_code}' "$url/version")" = 200 ]
[ "$(curl -s -o /dev/null -w '%{http_code}' "$url/api/v1/pods")" = 403 ]
