# The course's Secret, and ConfigMaps and Services as its exercises need them; then its clean-up commands.
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral --pod-startup-latency 100ms

k apply -f - << EOF
apiVersion: v1
kind: Secret
metadata:
  name: mysecret
type: Opaque
data:
  username: YWRtaW4=
  password: MWYyZDFlMmU2N2Rm
EOF
matches '^mysecret +Opaque +2 ' k get secret
matches 'password: +12 bytes' k describe secret mysecret
[ "$(k get secret mysecret -o jsonpath='{.data.username}' | base64 -d)" = admin ]
k create configmap app-config --from-literal=COLOR=blue --from-literal=page='<h1>hi & bye</h1>'
matches '^app-config +2 ' k get cm
k apply -f - << EOF
apiVersion: v1
kind: Pod
metadata: {name: reader, labels: {app: reader}}
spec:
  restartPolicy: Never
  containers:
  - name: reader
    image: busybox
    command: [sh, -c, 'echo "user=\$USER_NAME color=\$COLOR"; cat /etc/app/page; echo; cat /etc/secret/password']
    env:
    - {name: USER_NAME, valueFrom: {secretKeyRef: {name: mysecret, key: username}}}
    envFrom:
    - configMapRef: {name: app-config}
    volumeMounts:
    - {name: config, mountPath: /etc/app}
    - {name: secret, mountPath: /etc/secret}
  volumes:
  - {name: config, configMap: {name: app-config}}
  - {name: secret, secret: {secretName: mysecret}}
---
apiVersion: v1
kind: Pod
metadata: {name: lacking}
spec:
  containers:
  - name: c
    image: nginx
    env:
    - {name: X, valueFrom: {configMapKeyRef: {name: missing, key: x}}}
EOF
eventually matches '^reader +0/1 +Completed ' k get pod
matches '^user=admin color=blue$' k logs reader
matches '^<h1>hi & bye</h1>$' k logs reader
matches '^1f2d1e2e67df$' k logs reader
eventually matches '^lacking +0/1 +CreateContainerConfigError ' k get pod
matches 'configmap "missing" not found' k describe pod lacking
k create configmap missing --from-literal=x=1
eventually 60 matches '^lacking +1/1 +Running ' k get pod

k create deployment web --image=nginx --port=80
matches 'service/web exposed' k expose deployment web --port=8080 --target-port=80 --type=NodePort
matches '^web +NodePort +10\.[0-9.]+ +<none> +8080:3[0-2][0-9]{3}/TCP ' k get svc
matches '^kubernetes +ClusterIP +10\.[0-9.]+ +<none> +443/TCP ' k get svc
k rollout status deployment web --timeout 60s
eventually matches '^web +10\.[0-9.]+:80 ' k get endpoints
matches 'Endpoints: +10\.[0-9.]+:80' k describe svc web

matches 'secrets .*true +Secret' k api-resources
for kind in deploy rs pod svc job cronjob ds cm; do k delete $kind --all > /dev/null; done
eventually matches 'No resources found' k get pod
lacks '^web' k get deploy,svc
eventually matches '^configmap/kube-root-ca.crt|^kube-root-ca.crt' k get cm
