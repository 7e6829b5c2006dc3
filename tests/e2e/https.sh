# The API over HTTPS: the administrator's certificate, a person's own, tokens, and nobody.
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral --https 127.0.0.1:0 --write-kubeconfig "$work/admin.yaml"
secure=$(sed -nE 's/.*(https:[^,]+),.*/\1/p' "$work/ready")
eventually k get configmap kube-root-ca.crt
k get configmap kube-root-ca.crt -o 'jsonpath={.data.ca\.crt}' > "$work/ca.pem"
export KUBECONFIG=$work/admin.yaml
grep -q "server: $secure" "$KUBECONFIG"
k get nodes
[ "$(k auth can-i '*' '*')" = yes ]
# A watch over TLS sees what happens.
k get configmaps --watch-only -o name > "$work/seen" & watcher=$!
eventually test -d /proc/$watcher
add_and_look() { k delete configmap c --ignore-not-found > /dev/null && k create configmap c && grep -q configmap/c "$work/seen"; }
eventually add_and_look
kill $watcher

# Nobody, a wrong token, a service account's token.
code() { curl -s -o "$work/body" -w '%{http_code}' --cacert "$work/ca.pem" "$@"; }
[ "$(code "$secure/version")" = 200 ]
[ "$(code "$secure/api/v1/pods")" = 403 ]
grep -q 'User \\"system:anonymous\\"' "$work/body"
[ "$(code -H 'Authorization: Bearer wrong' "$secure/version")" = 401 ]
token=$(curl -s -X POST -H 'Content-Type:' "$url/api/v1/namespaces/default/serviceaccounts/default/token" -d '{}' | sed -nE 's/.*"token":"([^"]+)".*/\1/p')
denied=$("$KUBECTL" --kubeconfig /dev/null --server "$secure" --certificate-authority "$work/ca.pem" --token "$token" get pods 2>&1) && fail "the account could list pods"
[[ $denied = *'User "system:serviceaccount:default:default" cannot list resource "pods"'* ]] || fail "$denied"

# It says whose certificates it takes.
openssl s_client -connect "${secure#https://}" < /dev/null 2> /dev/null > "$work/handshake"
grep -A1 'Acceptable client certificate CA names' "$work/handshake" | grep -q 'CN *= *kubernetes'

# A certificate that another authority signed.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj '/O=system:masters/CN=eve' -days 1 \
  -keyout "$work/eve.key" -out "$work/eve.pem" 2> /dev/null
[ "$(code --cert "$work/eve.pem" --key "$work/eve.key" "$secure/version")" = 401 ]
stop_kubemu
