# @kubernetes/client-node from npm: typed calls, informers that lose their server, patches, the object API, kubeconfigs.
set -euo pipefail
KUBEMU=${KUBEMU:-$PWD/build/kubemu}
export KUBEMU
folder=$(cd "$(dirname "$0")" && pwd)
if ! command -v node > /dev/null || ! command -v npm > /dev/null; then
  echo "skipped: there is no node and npm to run @kubernetes/client-node with"
  exit 0
fi
if [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ]; then
  echo "skipped: @kubernetes/client-node needs node 20 or newer, this is $(node --version)"
  exit 0
fi
# The modules and a copy of the tests go into the build folder: modules are looked for beside the files that import them.
here=$(dirname "$KUBEMU")/clients/javascript
mkdir -p "$here"
cp "$folder"/*.js "$folder"/package.json "$folder"/package-lock.json "$here"
cd "$here"
if ! cmp -s package-lock.json installed-lock.json; then
  if ! npm ci --silent --no-audit --no-fund > npm.log 2>&1; then
    echo "skipped: npm could not install @kubernetes/client-node:"
    cat npm.log
    exit 0
  fi
  cp package-lock.json installed-lock.json
fi
exec node --test --test-force-exit --test-reporter=spec .
