# The newest kubectl that can be had, which may be newer than those on PATH: some of the end-to-end tests with it.
. "$(dirname "$0")/../../e2e/common.inc"
. "$(dirname "$0")/../layers/layers.inc"
newest=$(layer_programs kubectl | sort -V | sed -n '$p')
if [ -z "$newest" ]; then
  echo "skipped: npm could not install a newer kubectl than those on PATH"
  exit 0
fi
echo "kubectl: $("$newest" version --client | sed -n 1p)"
for test in kubectl_apply server_side_apply custom_resources; do
  KUBECTL=$newest bash "$(dirname "$0")/../../e2e/$test.sh" > "$work/out" 2>&1 || { cat "$work/out"; fail "$test with $newest"; }
done
