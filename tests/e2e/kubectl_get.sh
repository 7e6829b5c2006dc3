# kubectl get and what is around it: every output format, sorting, selectors, chunks, watches, raw paths, explain,
# api-resources, api-versions, describe of every kind.
# kubectl: ends
. "$(dirname "$0")/common.inc"
start_kubemu --kubernetes-version "$(client_version)" --ephemeral --pod-startup-latency 100ms

for n in 1 2 3; do k create configmap "c$n" --from-literal=n="$n" > /dev/null; k label cm "c$n" n="$n" set=a > /dev/null; done
k create deployment web --image=nginx:1.25 --replicas=2 > /dev/null
k rollout status deployment web --timeout=30s > /dev/null

[ "$(k get cm c1 -o name)" = configmap/c1 ]
matches '"n": "1"' k get cm c1 -o json
matches '^  "n": "1"$' k get cm c1 -o yaml
[ "$(k get cm -l set=a -o jsonpath='{.items[*].data.n}')" = '1 2 3' ]
[ "$(k get cm -l set=a -o go-template='{{range .items}}{{.data.n}}{{end}}')" = 123 ]
[ "$(k get cm -l set=a --no-headers -o custom-columns=NAME:.metadata.name,N:.data.n | tr -s ' ' | head -n 1)" = 'c1 1' ]
matches '^c1 .* 1 +a$' k get cm -l set=a -L n,set
matches '^c1 .*n=1,set=a$' k get cm c1 --show-labels
[ "$(k get cm -l set=a --sort-by='{.metadata.name}' -o name | tail -n 1)" = configmap/c3 ]
[ "$(k get cm --field-selector metadata.name=c2 -o name)" = configmap/c2 ]
[ "$(k get cm -l 'n in (1,3),set!=b' -o name | wc -l)" -eq 2 ]
[ "$(k get cm -l set=a --chunk-size=1 -o name | wc -l)" -eq 3 ]
refused 'field label not supported' k get pods --field-selector spec.nonsense=1
matches '^default +c1 ' k get cm -A
matches '^pod/web-[a-z0-9]+-[a-z0-9]+ +1/1 +Running ' k get all
matches '^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES$' k get pods -o wide
refused 'NotFound' k get cm nothing
k get cm nothing --ignore-not-found
refused "doesn't have a resource type" k get nonsense
matches '"gitVersion"' k get --raw /version
matches '^v1$' k api-versions
matches '^deployments +deploy +.*apps/v1.* true +Deployment' k api-resources
[ "$(k get deploy web -o jsonpath='{.status.conditions[?(@.type=="Available")].status}')" = True ]

# A watch shows what is there, what comes and what goes; it ends when the request does.
k get cm -l set=w -w --output-watch-events --request-timeout=5s > "$work/watch" 2> /dev/null &
watch_pid=$!
until grep -q ADDED "$work/watch"; do
  k create cm watched --from-literal=a=b > /dev/null 2>&1 && k label cm watched set=w > /dev/null
  pause
done
k label cm watched set- > /dev/null
eventually matches '^DELETED +watched ' cat "$work/watch"
kill "$watch_pid" 2> /dev/null || true
wait "$watch_pid" 2> /dev/null || true

matches 'maxSurge' k explain deployment.spec.strategy --recursive
matches '^ *replicas' k explain deploy.spec
matches 'FIELD:? +imagePullPolicy|imagePullPolicy +<string>' k explain pod.spec.containers.imagePullPolicy
refused 'does not exist' k explain pod.spec.nonsense

# describe never fails, whatever the kind.
k create job once --image=busybox -- true > /dev/null
k create cronjob daily --image=busybox --schedule='0 0 * * *' -- true > /dev/null
k expose deployment web --port=80 > /dev/null
k create role reader --verb=get --resource=pods > /dev/null
k create rolebinding reader --role=reader --user=ann > /dev/null
k create quota q --hard=pods=99 > /dev/null
k create poddisruptionbudget web --selector=app=web --min-available=1 > /dev/null
k create priorityclass high --value=10 > /dev/null
k autoscale deployment web --max=3 --cpu-percent=50 > /dev/null 2>&1 || k autoscale deployment web --max=3 --cpu=50% > /dev/null
for kind in nodes namespaces pods deployments replicasets services endpoints configmaps serviceaccounts jobs cronjobs roles \
  rolebindings resourcequotas poddisruptionbudgets priorityclasses horizontalpodautoscalers events endpointslices leases.coordination.k8s.io; do
  k describe "$kind" -A > "$work/described" 2>&1 || { cat "$work/described"; fail "describe $kind"; }
  [ -s "$work/described" ] || fail "describe $kind says nothing"
done
matches 'Replicas: +2 desired \| 2 updated \| 2 total \| 2 available' k describe deployment web
matches 'ScalingReplicaSet' k describe deployment web
# Since 1.36 events of more than one object are shown when asked for.
matches 'Normal +Started ' k describe pods -l app=web --show-events=true
matches '^Name: +c1$' k describe cm c1
