# kubectl explain of kinds and fields, and the checks that kubectl makes itself by the OpenAPI documents.
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral --kubernetes-version "$(client_version)"

# type, values, default and what the field is for
matches 'strategy[[:space:]]+<' k explain deployment.spec.strategy
matches 'How pods are replaced when the template changes' k explain deployment.spec.strategy
matches 'rollingUpdate[[:space:]]+<' k explain deployment.spec.strategy
matches 'OnFailure' k explain pod.spec.restartPolicy
matches 'Defaults' k explain pod.spec.restartPolicy
matches 'VERSION: +batch/v1|VERSION: +v1' k explain cronjob.spec.schedule
matches 'KIND: +Service$' k explain svc
matches '<.*(integer|IntOrString|string).*>' k explain deployment.spec.strategy.rollingUpdate.maxSurge
matches 'Quantity|map\[string\]' k explain pod.spec.containers.resources.limits
refused 'does not exist' k explain pod.spec.nothing
refused "resource type|couldn't find resource" k explain nothing
[ "$(k explain pod --recursive | wc -l)" -gt 1000 ] || fail "explain --recursive of a pod is short"
for kind in hpa ingress networkpolicy storageclass clusterrole lease resourcequota configmap event; do
  matches 'DESCRIPTION' k explain "$kind" --recursive
done
if [ "$(client_minor)" -ge 27 ]; then
  matches 'Defaults' k explain cronjob.spec.concurrencyPolicy --output plaintext-openapiv2
fi

# validation by the documents (old clients) or by the server (new ones)
cat > "$work/web.yaml" <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx, ports: [{containerPort: 80}], resources: {limits: {cpu: 500m, memory: 64Mi}}}]}
YAML
k apply -f "$work/web.yaml" --validate=true
sed 's/replicas: 0/replica: 0/' "$work/web.yaml" > "$work/wrong.yaml"
refused 'unknown field' k apply -f "$work/wrong.yaml" --validate=true
refused 'unknown field' k create -f "$work/wrong.yaml" --validate=true
sed 's/image: nginx/image: nginx:1.27/' "$work/web.yaml" > "$work/changed.yaml"
if k diff -f "$work/changed.yaml" > "$work/diff"; then fail "diff saw no change"; fi
matches '^\+.*image: nginx:1.27' cat "$work/diff"
stop_kubemu
