# What the other scripts share: where the repository is, and how missing packages get installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# say TEXT...: a line about what is going on, apart from the output of the tools.
say() { printf '== %s\n' "$*" >&2; }

# as_root COMMAND...: runs it as root, without questions from apt.
as_root() {
  local sudo=
  [ "$(id -u)" -eq 0 ] || sudo=sudo
  $sudo env DEBIAN_FRONTEND=noninteractive "$@"
}

# need_packages PACKAGE...: installs with apt what is not installed yet; quick when nothing is missing.
need_packages() {
  local missing=() package
  for package in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  say "installing ${missing[*]}"
  if ! command -v apt-get >/dev/null; then
    say "apt-get is not here; install these yourself: ${missing[*]}"
    exit 1
  fi
  as_root apt-get update -qq
  as_root apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# candidate PACKAGE: the version that apt would install, or nothing. (One sed, which reads to the end: with pipefail, a
# reader that stops early makes its writer fail now and then.)
candidate() { apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: \([0-9].*\)$/\1/p'; }

# Boost 1.81 is beside 1.74 in Debian 12; newer systems have one that is new enough.
boost_package() {
  if [ -n "$(candidate libboost1.81-dev)" ]; then echo libboost1.81-dev; else echo libboost-dev; fi
}

# boost_is_new_enough: whether the headers of Boost 1.81 or newer are here (BOOST_VERSION 108100).
boost_is_new_enough() {
  local version
  version=$(sed -n 's/^#define BOOST_VERSION \([0-9]*\).*/\1/p' /usr/include/boost/version.hpp 2>/dev/null || true)
  [ "${version:-0}" -ge 108100 ]
}

build_packages() {
  echo g++ cmake ninja-build ccache mold pkg-config nlohmann-json3-dev libyaml-cpp-dev libsqlite3-dev libssl-dev \
    doctest-dev libexpected-dev libcli11-dev libspdlog-dev libfmt-dev libre2-dev zlib1g-dev tzdata
}

install_build_packages() {
  if ! boost_is_new_enough; then
    # Which Boost there is to install is known from the package lists; a fresh image has none, or old ones.
    if command -v apt-get >/dev/null; then as_root apt-get update -qq; fi
    need_packages "$(boost_package)"
  fi
  # shellcheck disable=SC2046
  need_packages $(build_packages)
}

# Where scripts/get-kubectl puts one that apt does not have.
kubectl_folder=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/kubemu

# by_version: paths of kubectls in the order of their versions, which their names or they themselves say.
by_version() {
  local path version
  while read -r path; do
    version=$(sed -nE 's/.*kubectl[.-]([0-9.]+)$/\1/p' <<< "$path")
    [ -n "$version" ] || version=$("$path" version --client -o json 2>/dev/null | sed -nE 's/.*"gitVersion": "v([0-9.]+).*/\1/p')
    printf '%s %s\n' "${version:-0}" "$path"
  done | sort -s -V -k1,1 | cut -d' ' -f2-
}

# kubectls: every kubectl found, one a line, the oldest first: $KUBECTL, or those on PATH and versioned ones beside them.
kubectls() {
  if [ -n "${KUBECTL:-}" ]; then
    echo "$KUBECTL"
    return
  fi
  {
    command -v kubectl || true
    local folder
    for folder in ${PATH//:/ } /usr/lib/google-cloud-sdk/bin /opt/kubectl/bin "$kubectl_folder"; do
      ls "$folder"/kubectl.1.* "$folder"/kubectl-1.* 2>/dev/null || true
    done
  } | sort -u | by_version
}
