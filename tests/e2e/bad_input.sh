# kubectl: one
# Bad input gets a Status or a closed connection; nothing is stored and the server lives on.
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral

path=$url/api/v1/namespaces/default/configmaps
# post EXPECTED-CODE PATTERN CURL-ARGUMENT...
post() {
  local code=$1 pattern=$2 got
  shift 2
  got=$(curl -s -o "$work/body" -w '%{http_code}' -X POST "$@")
  [ "$got" = "$code" ] || fail "expected $code, got $got: $(head -c 300 "$work/body")"
  grep -qE -- "$pattern" "$work/body" || fail "no '$pattern' in: $(head -c 300 "$work/body")"
}
json=(-H 'Content-Type: application/json')
post 400 '"reason":"BadRequest"' "${json[@]}" -d '{"kind":' "$path"
post 400 '"reason":"BadRequest"' -H 'Content-Type: application/yaml' -d $'a: [\nb' "$path"
post 415 'UnsupportedMediaType' -H 'Content-Type: text/plain' -d 'x' "$path"
post 400 'unknown field \\"dataa\\"' "${json[@]}" -d '{"metadata":{"name":"x"},"dataa":{}}' "$path?fieldValidation=Strict"
post 422 'Invalid value: \\"Bad_Name\\"' "${json[@]}" -d '{"metadata":{"name":"Bad_Name"}}' "$path"
post 422 'metadata.labels' "${json[@]}" -d '{"metadata":{"name":"x","labels":{"a b":"c"}}}' "$path"
post 400 'cannot unmarshal' "${json[@]}" -d '{"metadata":{"name":"x"},"data":[1]}' "$path"
post 404 'namespaces \\"none\\" not found' "${json[@]}" -d '{"metadata":{"name":"x"}}' "$url/api/v1/namespaces/none/configmaps"
post 404 '404 page not found' "${json[@]}" -d '{}' "$url/apis/none/v1/things"
{ printf '{"metadata":{"name":"x"},"data":{"a":"'; head -c 3300000 /dev/zero | tr '\0' x; printf '"}}'; } > "$work/large"
post 413 'RequestEntityTooLarge' "${json[@]}" --data-binary "@$work/large" "$path"
{ printf '%0.s[' $(seq 1 5000); } > "$work/deep"
post 400 '"status":"Failure"' "${json[@]}" --data-binary "@$work/deep" "$path"
# Half a request, and a client that hangs up in the middle of a watch.
exec 3<> "/dev/tcp/127.0.0.1/${url##*:}"; printf 'POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nContent-Length: 100\r\n\r\n{' >&3; exec 3>&-
exec 3<> "/dev/tcp/127.0.0.1/${url##*:}"; printf 'GET /api/v1/pods?watch=1 HTTP/1.1\r\nHost: x\r\n\r\n' >&3; exec 3>&-
exec 3<> "/dev/tcp/127.0.0.1/${url##*:}"; printf '\x00\x01garbage\r\n\r\n' >&3; exec 3>&-
[ "$(curl -s "$url/readyz")" = ok ]
[ "$(curl -s -o /dev/null -w '%{http_code}' "$path/x")" = 404 ]
