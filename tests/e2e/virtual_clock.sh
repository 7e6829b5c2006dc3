#!/usr/bin/env bash
# kubectl: one
# A clock that stands still until it is turned: a day passes in an instant, everything happens at its own time, and the
# same script gives the same cluster to the byte.
. "$(dirname "$0")/common.inc"

clock() { "$KUBEMU" clock --server "$url" "$@"; }

# What a course of events leaves behind: every object of every kind, as the API shows it.
everything() {
  local resource
  for resource in $(k api-resources --verbs=list -o name | sort); do
    echo "== $resource"
    curl -fsS "$url/$(path_of "$resource")"
    echo
  done
}
# path_of NAME: deployments.apps as apis/apps/v1/deployments.
path_of() {
  local plural=${1%%.*} group=${1#*.}
  [ "$group" != "$1" ] || { echo "api/v1/$plural"; return; }
  echo "apis/$(curl -fsS "$url/apis/$group" | sed -nE 's/.*"preferredVersion":\{"groupVersion":"([^"]+)".*/\1/p')/$plural"
}

manifest='
apiVersion: batch/v1
kind: CronJob
metadata: {name: tick}
spec:
  schedule: "*/10 * * * *"
  successfulJobsHistoryLimit: 2
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: c, image: busybox, command: ["sh", "-c", "date; sleep 5"]}]
'
story() {
  local out=$1
  shift
  start_kubemu --ephemeral --clock virtual --seed 7 "$@"
  matches '^2026-01-01T00:00:00Z +\(virtual' clock show
  k create deployment web --image=nginx --replicas=3
  k apply -f - <<< "$manifest"
  # Nobody has turned the clock: the images are still being pulled.
  lines 0 k get pods -l app=web --field-selector status.phase=Running --no-headers
  clock advance 30s > "$work/after"
  grep -q '^2026-01-01T00:00:30Z' "$work/after"
  lines 3 k get pods -l app=web --field-selector status.phase=Running --no-headers
  clock set 2026-01-01T06:00:30Z > /dev/null
  # 36 times in six hours, of which two finished ones are kept.
  lines 2 k get jobs --no-headers
  matches '^2026-01-01T06:00:00Z$' k get cronjob tick -o 'jsonpath={.status.lastScheduleTime}{"\n"}'
  matches '^2026-01-01T05:50:00Z' k get jobs --sort-by=.metadata.creationTimestamp -o 'jsonpath={.items[*].metadata.creationTimestamp}{"\n"}'
  # Events of the last hour are there, those before have expired.
  matches ' 2026-01-01T05:5' k get events -o custom-columns=NAME:.metadata.name,TIME:.lastTimestamp
  lacks ' 2026-01-01T04' k get events -o custom-columns=NAME:.metadata.name,TIME:.lastTimestamp
  # What was replaced more than five minutes of this clock ago is forgotten, some thousand revisions aside.
  curl -sS "$url/api/v1/pods?resourceVersion=20&resourceVersionMatch=Exact" | grep -Eq '"code": ?410' || fail "nothing was compacted"
  k delete deployment web --wait=false
  clock settle > /dev/null
  clock advance 1m > /dev/null
  lines 0 k get pods -l app=web --no-headers
  everything > "$out.txt"
}

story "$work/one"
[ -s "$work/one.txt" ] || fail "nothing to compare"
stop_kubemu
story "$work/two"
diff "$work/one.txt" "$work/two.txt" || fail "two runs of one script differ"

# It does not go back, and says so.
! clock set 2026-01-01T00:00:00Z 2> "$work/refused" || fail "the clock went back"
grep -q 'does not go back' "$work/refused"
# The same over HTTP.
curl -fsS -X POST "$url/kubemu/clock/advance" -d '{"duration":"1h"}' | grep -q '"time":"2026-01-01T07:01:30.000000Z"'
stop_kubemu

# It goes on where it was when the cluster ended.
start_kubemu --db "$work/kept.db" --clock virtual=2030-06-01T00:00:00Z
clock advance 2h > /dev/null
stop_kubemu
start_kubemu --db "$work/kept.db" --clock virtual
matches '^2030-06-01T02:00:00Z' clock show
stop_kubemu

# A scaled clock gets there by itself: ten minutes in a second.
start_kubemu --ephemeral --clock scaled=600
k apply -f - <<< "$manifest"
eventually 20 matches 'Complete' k get jobs -o 'jsonpath={.items[*].status.conditions[*].type}{"\n"}'
! clock advance 1h 2> "$work/refused" || fail "a running clock was turned"
grep -q 'runs by itself' "$work/refused"
