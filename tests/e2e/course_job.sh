# The course's Job section: a Job that completes, its columns and its log; one that fails as often as it may.
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral --pod-startup-latency 200ms

matches 'job.batch/myfirstjob created' k apply -f - << EOF
apiVersion: batch/v1
kind: Job
metadata:
  name: myfirstjob
spec:
  template:
    spec:
      containers:
      - name: ml
        image: someone/myfirstjob
        args: ['5', 'softmax', '0.5']
      restartPolicy: Never
  backoffLimit: 2
EOF
matches 'COMPLETIONS +DURATION +AGE' k get job
k wait --for=condition=complete job/myfirstjob --timeout 60s
matches '^myfirstjob .*1/1 ' k get job
matches '^myfirstjob-[bcdfghjklmnpqrstvwxz2456789]{5} +0/1 +Completed +0 ' k get pod
pod=$(k get pod -o name)
k logs -f "$pod" > /dev/null
matches 'pod/myfirstjob-' k get job,pod
matches 'Completed .*job-controller +Job completed' k describe job myfirstjob
matches 'job.batch "myfirstjob" deleted' k delete job myfirstjob
eventually matches 'No resources found' k get pod

k apply -f - << EOF
apiVersion: batch/v1
kind: Job
metadata:
  name: counts
spec:
  completions: 3
  parallelism: 2
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: counts
        image: busybox
        command: [sh, -c]
        args: ['for i in 1 2 3; do echo "\$GREETING \$i"; done']
        env:
        - {name: GREETING, value: hello}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: fails
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers:
      - {name: fails, image: busybox, command: [sh, -c, 'echo on its way; exit 3']}
EOF
k wait --for=condition=complete job/counts --timeout 60s
matches '^counts .*3/3 ' k get job
lines 9 k logs -l job-name=counts --tail -1
lines 3 k logs -l job-name=counts --tail 1
matches '^hello 3$' k logs job/counts
k wait --for=condition=failed job/fails --timeout 60s
matches '^fails-[a-z0-9]{5} +0/1 +Error +0 ' k get pod -l job-name=fails
matches 'BackoffLimitExceeded' k describe job fails
matches 'Exit Code: +3' k describe pod -l job-name=fails
matches '^on its way$' k logs -l job-name=fails
