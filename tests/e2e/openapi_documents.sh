# kubectl: one
# A validator of others finds nothing wrong with any OpenAPI document. It comes from npm, into the build folder.
. "$(dirname "$0")/common.inc"
validator=$(dirname "$KUBEMU")/openapi-validator
package=@apidevtools/swagger-parser
if ! command -v npm > /dev/null || ! command -v node > /dev/null; then
  echo "skipped: there is no node and npm to run the validator with"
  exit 0
fi
if [ ! -d "$validator/node_modules/$package" ]; then
  npm install --silent --no-audit --no-fund --prefix "$validator" "$package@13" > "$work/npm.log" 2>&1 ||
    { echo "skipped: npm could not install $package:"; cat "$work/npm.log"; exit 0; }
fi
start_kubemu --ephemeral
k create namespace documents > /dev/null
mkdir "$work/documents"
curl -sf "$url/openapi/v2" > "$work/documents/v2.json"
number=0
# What the index leads to: every document, by the URL with its hash.
for path in $(curl -sf "$url/openapi/v3" | grep -oE '/openapi/v3/[^"]+'); do
  number=$((number + 1))
  curl -sf "$url$path" > "$work/documents/v3-$number.json"
done
[ "$number" -gt 40 ] || fail "the index has $number documents only"
NODE_PATH=$validator/node_modules node "$(dirname "$0")/validate_openapi.cjs" "$work"/documents/*.json
stop_kubemu
