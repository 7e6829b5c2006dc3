# Commands in pods, attaching to them, and their ports, over the protocol that this kubectl speaks.
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral --pod-startup-latency 200ms

k create configmap settings --from-literal=color=blue > /dev/null
k apply -f - << 'Y' > /dev/null
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - name: nginx
    image: nginx:1.25
    ports: [{containerPort: 80}]
    env: [{name: GREETING, value: hello}]
    volumeMounts: [{name: settings, mountPath: /etc/settings}]
  - {name: side, image: "busybox:1.36", command: [sleep, infinity]}
  volumes: [{name: settings, configMap: {name: settings}}]
Y
k wait --for=condition=Ready pod/web --timeout=30s > /dev/null

# Output, files, environment, exit codes.
exec_in() { local container=$1; shift; k exec web -c "$container" -- "$@"; }
[ "$(exec_in nginx cat /etc/settings/color)" = blue ]
[ "$(exec_in nginx sh -c 'echo $GREETING from $(hostname)')" = "hello from web" ]
[ "$(exec_in nginx sh -c 'echo out; echo err >&2' 2> "$work/err")" = out ]
[ "$(grep -c '^err$' "$work/err")" = 1 ]
code=0
exec_in side sh -c 'exit 7' 2> "$work/err" || code=$?
[ $code = 7 ] || fail "exit code $code"
grep -q 'command terminated with exit code 7' "$work/err"
exec_in side sh -c 'echo kept > /tmp/file'
[ "$(exec_in side cat /tmp/file)" = kept ]
refused 'OCI runtime exec failed: exec failed: unable to start container process: exec: "nope": executable file not found in \$PATH: unknown' exec_in side nope
refused 'exec: "bash": executable file not found' exec_in side bash

# Standard input, to its end.
[ "$(printf 'b\na\n' | k exec -i web -c side -- sort)" = $'a\nb' ]
[ "$(printf 'cd /etc\npwd\nx=$(cat settings)\nwho=me\necho $who\n' | k exec -i web -c side -- sh 2> /dev/null)" = $'/etc\nme' ]
[ "$(head -c 200000 /dev/zero | k exec -i web -c side -- wc -c)" = 200000 ]

# A pipeline says what it has before its input ends.
mkfifo "$work/keys"
"$KUBECTL" exec -i web -c side -- sh -c 'cat | grep x' < "$work/keys" > "$work/found" 2> /dev/null &
beside+=($!)
exec 8> "$work/keys"
printf 'a\nx1\n' >&8
eventually matches '^x1$' cat "$work/found"
exec 8>&-

# Whom there is nobody to talk to.
refused 'container nobody is not valid for pod web|container not found|nobody' exec_in nobody true
refused 'pods "gone" not found' k exec gone -- true
[ "$(curl -s -o "$work/body" -w '%{http_code}' -X POST "$url/api/v1/namespaces/default/pods/web/exec?command=ls&container=side&stdout=true")" = 400 ]
grep -q '"message": *"Upgrade request required"' "$work/body"

# Files, both ways: tar runs in the container.
mkdir "$work/tree"
echo one > "$work/tree/1"
head -c 3000 /dev/zero | tr '\0' x > "$work/tree/2"
k cp "$work/tree" web:/tmp/tree -c side
[ "$(exec_in side cat /tmp/tree/1)" = one ]
k cp web:/tmp/tree "$work/back" -c side > /dev/null 2>&1
diff -r "$work/tree" "$work/back"

# Attaching: to output, and to the input of a shell that ends with it.
k run talks --image=busybox --restart=Never --command -- sh -c 'i=0; while true; do i=$((i+1)); echo tick $i; sleep 0.2; done' > /dev/null
eventually matches '^tick 1$' k logs talks
"$KUBECTL" attach talks > "$work/attached" 2>&1 &
attached=$!
eventually matches '^tick ' cat "$work/attached"
kill $attached
wait $attached 2> /dev/null || true
echo 'echo from $(hostname)' | k run typed --image=busybox -i --rm --restart=Never > "$work/typed" 2>&1 || true
grep -q '^from typed' "$work/typed" || fail "no shell answered: $(cat "$work/typed")"
eventually refused 'not found' k get pod typed

# A container beside the others, to look at them from.
if [ "$(client_minor)" -ge 25 ]; then
  echo 'echo beside $(hostname); exit' | timeout 20 "$KUBECTL" debug web -i --image=busybox > "$work/debug" 2>&1 || true
  grep -q '^beside web' "$work/debug" || fail "nobody answered: $(cat "$work/debug")"
fi

# Many at a time.
together=()
for i in 1 2 3 4 5 6; do
  exec_in side sh -c "sleep 0.3; echo $i" > "$work/together$i" & together+=($!)
done
for one in "${together[@]}"; do wait "$one"; done
[ "$(cat "$work"/together*)" = $'1\n2\n3\n4\n5\n6' ]

# A terminal: prompt, echo, and the end by ctrl-D.
if command -v script > /dev/null; then
  : > "$work/terminal"
  { eventually grep -q '/ # ' "$work/terminal"; printf 'whoami\r'; eventually grep -q root "$work/terminal"; printf '\004'; } |
    script -qec "'$KUBECTL' exec -it web -c side -- sh" /dev/null > "$work/terminal" 2>&1
  tr -d '\r' < "$work/terminal" | grep -q '^/ # whoami$' || fail "no prompt: $(cat "$work/terminal")"
  tr -d '\r' < "$work/terminal" | grep -q '^root$'
fi

# Ports: the page of the image, its files, and what nobody listens on.
k port-forward pod/web :80 > "$work/ports" 2>&1 &
forward=$!
eventually matches 'Forwarding from 127' cat "$work/ports"
port=$(sed -nE 's/^Forwarding from 127.0.0.1:([0-9]+) -> 80$/\1/p' "$work/ports")
matches 'Welcome to nginx' curl -s "http://127.0.0.1:$port/"
matches 'default/web' curl -s "http://127.0.0.1:$port/"
exec_in nginx sh -c 'echo my own page > /usr/share/nginx/html/index.html'
matches '^my own page$' curl -s "http://127.0.0.1:$port/"
[ "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/none")" = 404 ]
matches '^my own page$' k get --raw /api/v1/namespaces/default/pods/web/proxy/
kill $forward
wait $forward 2> /dev/null || true
k port-forward pod/web :81 > "$work/refused" 2>&1 &
forward=$!
eventually matches 'Forwarding from 127' cat "$work/refused"
port=$(sed -nE 's/^Forwarding from 127.0.0.1:([0-9]+) -> 81$/\1/p' "$work/refused")
curl -s "http://127.0.0.1:$port/" > /dev/null || true
eventually matches 'an error occurred forwarding .* dial tcp4 127.0.0.1:81: connect: connection refused' cat "$work/refused"
kill $forward 2> /dev/null || true
wait $forward 2> /dev/null || true
stop_kubemu
