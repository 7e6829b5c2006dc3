# kubectl create with each of its generators, run, expose, autoscale and set: what they make is what they say.
# kubectl: ends
. "$(dirname "$0")/common.inc"
start_kubemu --kubernetes-version "$(client_version)" --ephemeral --controllers '*,-scheduler,-kubelet'
minor=$(client_minor)

made() { # KIND/NAME JSONPATH EXPECTED
  local value
  value=$(k get "$1" -o jsonpath="$2")
  [ "$value" = "$3" ] || fail "$1 $2: '$value' instead of '$3'"
}
printf 'A=1\nB=2\n' > "$work/env"
printf 'text' > "$work/file.txt"
k create namespace team > /dev/null
made ns/team '{.status.phase}' Active
k create configmap files --from-file="$work/file.txt" --from-env-file="$work/env" > /dev/null 2>&1 || k create configmap files --from-file="$work/file.txt" > /dev/null
made cm/files '{.data.file\.txt}' text
k create secret generic s --from-literal=a=b > /dev/null
made secret/s '{.type} {.data.a}' 'Opaque Yg=='
k create secret docker-registry d --docker-server=r --docker-username=u --docker-password=p > /dev/null
made secret/d '{.type}' kubernetes.io/dockerconfigjson
k create serviceaccount robot > /dev/null
k create deployment web --image=nginx:1.25 --replicas=2 --port=80 > /dev/null
made deploy/web '{.spec.replicas} {.spec.template.spec.containers[0].ports[0].containerPort}' '2 80'
k create cronjob tick --image=busybox --schedule='*/5 * * * *' -- date > /dev/null
k create job now --from=cronjob/tick > /dev/null
made job/now '{.spec.template.spec.containers[0].command[0]} {.metadata.annotations.cronjob\.kubernetes\.io/instantiate}' 'date manual'
k create role r --verb=get,list --resource=pods,deployments.apps --resource-name=x > /dev/null
made role/r '{.rules[*].apiGroups[*]}' ' apps'
k create clusterrole cr --verb=get --non-resource-url=/healthz > /dev/null
k create rolebinding rb --role=r --user=ann --serviceaccount=default:robot > /dev/null
made rolebinding/rb '{.subjects[*].kind}' 'User ServiceAccount'
k create clusterrolebinding crb --clusterrole=cr --group=g > /dev/null
k create quota q --hard=pods=50,configmaps=20 > /dev/null
made quota/q "{.spec.hard.pods}" 50
k create poddisruptionbudget b --selector=app=web --max-unavailable=50% > /dev/null
made pdb/b '{.spec.maxUnavailable}' 50%
k create priorityclass p --value=7 --description=d > /dev/null
made priorityclass/p '{.value} {.preemptionPolicy}' '7 PreemptLowerPriority'
k create ingress i --rule='a.b/*=web:80' --class=c > /dev/null
made ingress/i '{.spec.rules[0].http.paths[0].pathType}' Prefix
k create service clusterip cip --tcp=80:8080 > /dev/null
k create service nodeport np --tcp=81 > /dev/null
k create service loadbalancer lb --tcp=82 > /dev/null
k create service externalname en --external-name=example.com > /dev/null
made svc/en '{.spec.type}' ExternalName
if [ "$minor" -ge 24 ]; then
  matches '^ey' k create token robot
fi
refused 'AlreadyExists|already exists' k create namespace team

k run p --image=nginx --labels=a=b --env=X=Y > /dev/null
made pod/p '{.metadata.labels.a} {.spec.containers[0].env[0].value}' 'b Y'
k expose deployment web --name=exposed --port=8080 --target-port=80 > /dev/null
made svc/exposed '{.spec.selector.app} {.spec.ports[0].targetPort}' 'web 80'
k autoscale deployment web --min=1 --max=4 --cpu-percent=60 > /dev/null 2>&1 || k autoscale deployment web --min=1 --max=4 --cpu=60% > /dev/null
made hpa/web '{.spec.minReplicas} {.spec.maxReplicas}' '1 4'

k set image deployment/web nginx=nginx:1.26 > /dev/null
k set env deployment/web MODE=fast > /dev/null
k set env deployment/web --from=configmap/files --keys=file.txt > /dev/null
k set resources deployment web --limits=cpu=200m,memory=64Mi > /dev/null
k set serviceaccount deployment web robot > /dev/null
made deploy/web '{.spec.template.spec.containers[0].image} {.spec.template.spec.containers[0].env[0].value} {.spec.template.spec.containers[0].resources.limits.cpu} {.spec.template.spec.serviceAccountName}' 'nginx:1.26 fast 200m robot'
k set selector service exposed app=other > /dev/null
made svc/exposed '{.spec.selector.app}' other
k set subject rolebinding rb --group=devs > /dev/null
made rolebinding/rb '{.subjects[2].name}' devs
k get deploy web -o yaml > "$work/web.yaml"
matches 'image: nginx:1.27' k set image -f "$work/web.yaml" nginx=nginx:1.27 --local -o yaml
k scale deployment web --replicas=3 --current-replicas=2 > /dev/null
made deploy/web '{.spec.replicas}' 3
refused 'Expected replicas to be 9' k scale deployment web --replicas=1 --current-replicas=9
for kind in deployment; do
  matches 'paused' k rollout pause "$kind/web"
  matches 'resumed' k rollout resume "$kind/web"
  matches 'restarted' k rollout restart "$kind/web"
done
matches 'yes' k auth can-i create pods
