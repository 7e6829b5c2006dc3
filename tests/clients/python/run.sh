# The Python client of Debian (python3-kubernetes), typed and dynamic, against a cluster of its own.
. "$(dirname "$0")/../../e2e/common.inc"
# Debian's modules belong to Debian's interpreter, whatever python3 is first on PATH.
python=/usr/bin/python3
if ! "$python" -c 'import kubernetes' 2> "$work/import.log"; then
  echo "skipped: $python has no kubernetes module (Debian's python3-kubernetes)"
  exit 0
fi
printf 'pa55,ann,ann-uid,"testers"\n' > "$work/tokens.csv"
start_kubemu --ephemeral --pod-startup-latency 200ms --token-auth-file "$work/tokens.csv"
"$python" -W ignore::DeprecationWarning -B -m unittest discover -s "$(dirname "$0")" -p '*_test.py'
stop_kubemu
