# The kinds that govern others: create by kubectl's generators, get, describe; admission, certificates, aggregation.
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral --controllers '*,-scheduler,-kubelet'

# Ingress, autoscaler, budget, quota of priorities, roles.
k create deployment web --image=nginx
k autoscale deployment web --min=2 --max=5 --cpu-percent=70 2>/dev/null || k autoscale deployment web --min=2 --max=5 --cpu=70%
matches '^web +Deployment/web +.*70% +2 +5' k get hpa
matches '(cpu|CPU).*70%' k describe hpa web
k create -f - << EOF
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 50%, selector: {matchLabels: {app: web}}}
EOF
matches '^web +50% +N/A +0' k get pdb
[ "$(client_minor)" -le 20 ] || matches 'Min available: +50%' k describe pdb web  # 1.20 asks for policy/v1beta1
k create priorityclass high --value=1000 --description=mine
matches '^high +1000 +false' k get priorityclasses
refused 'this is a system priority class and cannot be deleted' k delete priorityclass system-node-critical
k create role reader --verb=get,list --resource=pods
k create rolebinding reads --role=reader --user=jane
matches '^reads +Role/reader' k get rolebindings
matches 'pods +\[\] +\[\] +\[get list\]' k describe role reader
refused 'cannot change roleRef' k patch rolebinding reads -p '{"roleRef":{"name":"other"}}'
cat << EOF | k apply -f -
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: front}
spec:
  ingressClassName: nginx
  tls: [{hosts: [a.example], secretName: cert}]
  rules:
  - host: a.example
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny}
spec: {podSelector: {matchLabels: {app: web}}, egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}
EOF
matches '^front +nginx +a.example .*80, 443' k get ingress
matches 'cert terminates a.example' k describe ingress front
matches '^deny +app=web' k get networkpolicies
matches 'Policy Types: Ingress, Egress' k describe networkpolicy deny

# Certificates: asked for, approved, once.
k create -f - << EOF
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {name: jane}
spec: {signerName: example.com/s, usages: [client auth], request: $(cat "$(dirname "$0")/request.pem" | base64 -w0)}
EOF
matches '^jane .*example.com/s .*Pending' k get csr
k certificate approve jane
matches '^jane .*Approved' k get csr
refused 'PEM block type must be CERTIFICATE REQUEST' k create -f - << EOF
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {name: bad}
spec: {signerName: example.com/s, usages: [client auth], request: bm9uZQ==}
EOF

# What the server says of itself.
matches '^v1.apps +Local +True' k get apiservices
matches '^exempt +exempt +1 +<none> +.* False' k get flowschemas
matches '^workload-low +Limited +100' k get prioritylevelconfigurations
eventually matches 'Dangling' k get flowschema exempt -o yaml
