# The course's CronJob section, on batch/v1beta1 and on batch/v1: one stored object, a Job each minute, and its log.
. "$(dirname "$0")/common.inc"
# A minute takes ten seconds: everybody waits for the schedule.
start_kubemu --ephemeral --pod-startup-latency 200ms --clock scaled=6

k apply -f - > "$work/applied" 2>&1 << EOF
apiVersion: batch/v1beta1
kind: CronJob
metadata:
  name: hello
spec:
  schedule: "*/1 * * * *"
  jobTemplate:
    spec:
      template:
        spec:
          containers:
          - name: hello
            image: busybox
            args:
            - /bin/sh
            - -c
            - date; echo Hello from the Kubernetes cluster
          restartPolicy: OnFailure
EOF
matches 'cronjob.batch/hello created' cat "$work/applied"
# Clients since 1.19 show the server's warnings.
matches 'batch/v1beta1 CronJob is deprecated' cat "$work/applied"
matches 'NAME +SCHEDULE .*SUSPEND +ACTIVE +LAST SCHEDULE +AGE' k get cronjob
matches '^hello +\*/1 \* \* \* \* .*False +[01] +(<none>|[0-9]+s) ' k get cronjob
[ "$(curl -s "$url/apis/batch/v1/namespaces/default/cronjobs/hello" | grep -o '"uid":"[^"]*"')" = \
  "$(curl -s "$url/apis/batch/v1beta1/namespaces/default/cronjobs/hello" | grep -o '"uid":"[^"]*"')" ]

k apply -f - << EOF
apiVersion: batch/v1
kind: CronJob
metadata:
  name: v1
spec:
  schedule: "* * * * *"
  concurrencyPolicy: Forbid
  jobTemplate:
    spec:
      template:
        spec:
          containers:
          - {name: c, image: busybox, command: [echo, from v1]}
          restartPolicy: Never
EOF
matches 'cronjob.batch/v1 patched' k patch cronjob v1 -p '{"spec":{"successfulJobsHistoryLimit":1}}'

eventually 90 matches '^hello-[0-9]{8} .*1/1 ' k get job
eventually matches '^hello-[0-9]{8}-[a-z0-9]{5} +0/1 +Completed +0 ' k get pod
eventually matches '^v1-[0-9]{8}-[a-z0-9]{5} +0/1 +Completed +0 ' k get pod
eventually matches "^[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} UTC 20[0-9]{2}$" log_of hello-
eventually matches '^Hello from the Kubernetes cluster$' log_of hello-
eventually matches '^from v1$' log_of v1-
eventually matches '^hello .*False +0 +[0-9]+s ' k get cronjob
matches 'SuccessfulCreate .*cronjob-controller +Created job hello-' k describe cronjob hello
matches 'cronjob.batch "hello" deleted' k delete cronjob hello
k delete cronjob --all
eventually matches 'No resources found' k get job
eventually matches 'No resources found' k get pod
