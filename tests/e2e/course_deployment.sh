# The course's Deployment section: rolling updates, a broken image that stalls, history, rollbacks, scaling.
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral --pod-startup-latency 200ms

matches 'deployment.apps/mynginx-deploy created' k apply -f - << EOF
apiVersion: apps/v1
kind: Deployment
metadata:
  name: mynginx-deploy
  labels:
    app: nginx
spec:
  replicas: 3
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 25%  
      maxSurge: 25%
  selector:
    matchLabels:
      app: nginx
  template:
    metadata:
      labels:
        app: nginx
    spec:
      containers:
      - name: nginx
        image: nginx:1.7.9
EOF
matches '^NAME +READY +UP-TO-DATE +AVAILABLE +AGE$' k get deployment
matches 'deployment "mynginx-deploy" successfully rolled out' k rollout status deployment mynginx-deploy --timeout 60s
matches '^mynginx-deploy +3/3 +3 +3 ' k get deploy
matches '^mynginx-deploy-[bcdf0-9ghjklmnpqrstvwxz]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5} +1/1 +Running ' k get pod
matches 'pod-template-hash=' k get pod --show-labels
first_hash=$(k get rs -o jsonpath='{.items[0].metadata.labels.pod-template-hash}')
matches "^mynginx-deploy-$first_hash +3 +3 +3 " k get rs

matches 'deployment.apps/mynginx-deploy image updated' k set image deployment mynginx-deploy nginx=nginx:1.9.1 --record
k rollout status deployment mynginx-deploy --timeout 60s
matches 'nginx:1.9.1' k get deploy -o wide
matches "^mynginx-deploy-$first_hash +0 +0 +0 " k get rs
lines 2 k get rs --no-headers
matches 'ScalingReplicaSet .*deployment-controller +Scaled (up|down) replica set mynginx-deploy-' k describe deployment mynginx-deploy
matches 'RollingUpdateStrategy: +25% max unavailable, 25% max surge' k describe deployment mynginx-deploy
matches 'Available +True +MinimumReplicasAvailable' k describe deployment mynginx-deploy
matches 'Progressing +True +NewReplicaSetAvailable' k describe deployment mynginx-deploy

# kubectl edit, with an editor that changes a label of the template's image
cat > "$work/editor" << 'EOF'
#!/bin/sh
sed -i 's/nginx:1.9.1/nginx:1.9.1-alpine/' "$1"
EOF
chmod +x "$work/editor"
KUBE_EDITOR=$work/editor matches 'deployment.apps/mynginx-deploy edited' k edit deployment mynginx-deploy
cat > "$work/editor" << 'EOF'
#!/bin/sh
sed -i 's/nginx:1.9.1-alpine/nginx:1.9.1/' "$1"
EOF
KUBE_EDITOR=$work/editor matches 'deployment.apps/mynginx-deploy edited' k edit deployment mynginx-deploy
k rollout status deployment mynginx-deploy --timeout 60s

matches 'image updated' k set image deployment mynginx-deploy nginx=nginx:1.9.21 --record
eventually matches 'ErrImagePull|ImagePullBackOff' k get pod
eventually matches 'ImagePullBackOff' k get pod
refused 'timed out|exceeded' k rollout status deployment mynginx-deploy --timeout 1s
matches '^mynginx-deploy +3/3 +1 +3 ' k get deploy
matches 'Failed to pull image "nginx:1.9.21"' k describe pod -l app=nginx --show-events=true
matches 'REVISION +CHANGE-CAUSE' k rollout history deployment mynginx-deploy
matches '^1 +<none>' k rollout history deployment mynginx-deploy
matches 'set image deployment mynginx-deploy nginx=nginx:1.9.21 --record=true' k rollout history deployment mynginx-deploy
matches 'Image:.*nginx:1.7.9' k rollout history deployment mynginx-deploy --revision 1

matches 'deployment.apps/mynginx-deploy rolled back' k rollout undo deployment mynginx-deploy
matches 'successfully rolled out' k rollout status deployment mynginx-deploy --timeout 60s
matches 'nginx:1.9.1( |$)' k get deploy -o wide
eventually lacks 'ImagePull' k get pod

matches 'deployment.apps/mynginx-deploy rolled back' k rollout undo deployment mynginx-deploy --to-revision=1
matches 'successfully rolled out' k rollout status deployment mynginx-deploy --timeout 60s
matches 'nginx:1.7.9' k get deploy -o wide
matches "^mynginx-deploy-$first_hash +3 +3 +3 " k get rs
lacks '^1 ' k rollout history deployment mynginx-deploy

matches 'deployment.apps/mynginx-deploy scaled' k scale deployment mynginx-deploy --replicas=6 --record
eventually matches '^mynginx-deploy +6/6 +6 +6 ' k get deploy
matches 'scale deployment mynginx-deploy --replicas=6 --record=true' k rollout history deployment mynginx-deploy

matches 'paused' k rollout pause deployment mynginx-deploy
k set image deployment mynginx-deploy nginx=nginx:1.9.1 > /dev/null
eventually matches 'Progressing +Unknown +DeploymentPaused' k describe deployment mynginx-deploy
matches "^mynginx-deploy-$first_hash +6 +6 +6 " k get rs
matches 'resumed' k rollout resume deployment mynginx-deploy
k rollout status deployment mynginx-deploy --timeout 60s
matches 'restarted' k rollout restart deployment mynginx-deploy
k rollout status deployment mynginx-deploy --timeout 60s

matches 'deployment.apps "mynginx-deploy" deleted' k delete deploy mynginx-deploy
eventually matches 'No resources found' k get rs
eventually matches 'No resources found' k get pod
