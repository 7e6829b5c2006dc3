# kubectl: one
# The command line says in one line what is wrong; state survives a stop and a kill; the end is quick with watches open.
. "$(dirname "$0")/common.inc"
matches '^kubemu [0-9]' "$KUBEMU" version
matches 'pod-startup-latency' "$KUBEMU" serve --help
refused 'allow-remote-http' "$KUBEMU" serve --http 0.0.0.0:0
refused 'bogus' "$KUBEMU" serve --bogus
refused 'expected a duration' "$KUBEMU" serve --pod-startup-latency soon

start_kubemu --db "$work/state.db"
refused 'in use' "$KUBEMU" serve --http 127.0.0.1:0 --db "$work/state.db"
refused 'already in use' "$KUBEMU" serve --http "127.0.0.1:${url##*:}" --ephemeral
k create configmap kept --from-literal=a=b
revision=$(k get cm kept -o jsonpath='{.metadata.resourceVersion}')
curl -sN "$url/api/v1/pods?watch=1" > /dev/null &
begin=$(date +%s%N)
stop_kubemu
[ $((($(date +%s%N) - begin) / 1000000)) -lt 1000 ] || fail "the stop took a second or more"

start_kubemu --db "$work/state.db"
[ "$(k get cm kept -o jsonpath='{.metadata.resourceVersion}')" = "$revision" ]
k create configmap killed --from-literal=c=d
kill -9 "$server_pid"; wait "$server_pid" || true; server_pid=
start_kubemu --db "$work/state.db"
matches '^killed +1 ' k get cm
stop_kubemu
echo 'not a database at all, but a text that is longer than a header of SQLite would be, a hundred bytes or more' > "$work/damaged.db"
refused 'damaged' "$KUBEMU" serve --http 127.0.0.1:0 --db "$work/damaged.db"
