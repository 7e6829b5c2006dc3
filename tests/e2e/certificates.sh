# kubectl: one
# A person's certificate, as the documentation of Kubernetes has it made.
. "$(dirname "$0")/common.inc"
start_kubemu --ephemeral
openssl ecparam -name prime256v1 -genkey -noout -out "$work/key.pem"
openssl req -new -key "$work/key.pem" -subj '/O=devs/CN=jane' -out "$work/jane.csr"
k apply -f - << Y
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {name: jane}
spec:
  request: $(base64 -w 0 "$work/jane.csr")
  signerName: kubernetes.io/kube-apiserver-client
  usages: [client auth]
  expirationSeconds: 86400
Y
k certificate approve jane
issued() { k get csr jane -o 'jsonpath={.status.certificate}' | base64 -d > "$work/jane.pem" && [ -s "$work/jane.pem" ]; }
eventually issued
k get configmap kube-root-ca.crt -o 'jsonpath={.data.ca\.crt}' > "$work/ca.pem"
openssl verify -CAfile "$work/ca.pem" -purpose sslclient "$work/jane.pem"
openssl x509 -in "$work/jane.pem" -noout -subject | grep -q 'O *= *devs, *CN *= *jane'
