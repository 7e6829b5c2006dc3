# client-go as operators use it. Debian has no package of it, but the sources of its kubernetes package hold release 1.20,
# with all that it needs.
. "$(dirname "$0")/../../e2e/common.inc"
folder=$(cd "$(dirname "$0")" && pwd)
here=$(dirname "$KUBEMU")/clients/go
if ! command -v go > /dev/null; then
  echo "skipped: there is no Go toolchain (Debian's golang-go) to build client-go with"
  exit 0
fi

# sources: client-go and what it imports, from Debian's source package into a GOPATH. The package's vendor folder links to
# the folders beside it, so that both keep their places.
sources() {
  local state=$here/apt archive
  rm -rf "$here"
  mkdir -p "$state/lists/partial" "$state/cache/archives/partial" "$here/path"
  # The sources are where the packages of this system come from.
  apt-get indextargets --format '$(ORIGIN)|$(REPO_URI)|$(CODENAME)|$(COMPONENT)' 'Created-By: Packages' |
    sed -nE 's#^Debian\|(.*)\|([a-z]+)\|main$#deb-src \1 \2 main#p' | sort -u > "$state/sources.list"
  local options=(-qq -o "Dir::Etc::sourcelist=$state/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$state/lists"
    -o "Dir::Cache=$state/cache" -o APT::Sandbox::User=root)
  apt-get "${options[@]}" update || return 1
  (cd "$state" && apt-get "${options[@]}" source --download-only kubernetes) || return 1
  archive=$(ls "$state"/kubernetes_*.orig.tar.gz) || return 1
  tar -xzf "$archive" -C "$here/path" --strip-components=1 --wildcards '*/vendor' '*/staging/src/k8s.io/client-go' \
    '*/staging/src/k8s.io/api' '*/staging/src/k8s.io/apimachinery' || return 1
  mv "$here/path/vendor" "$here/path/src"
  rm -rf "$state"
  touch "$here/complete"
}
if [ ! -e "$here/complete" ] && ! sources > "$work/sources.log" 2>&1; then
  echo "skipped: the sources of client-go are not to be had from Debian's kubernetes package:"
  cat "$work/sources.log"
  exit 0
fi
mkdir -p "$here/path/src/clients"
cp "$folder"/*_test.go "$here/path/src/clients"
export GO111MODULE=off GOPATH=$here/path GOCACHE=$here/cache GOFLAGS=
(cd "$here/path/src/clients" && go test -vet=off -c -o "$here/clients.test")
start_kubemu --ephemeral --pod-startup-latency 200ms
"$here/clients.test" -test.v 2> "$work/klog" | grep -E '^ *(---|PASS|FAIL|ok|[a-z_]+_test.go)' || { tail -n 40 "$work/klog"; exit 1; }
stop_kubemu
