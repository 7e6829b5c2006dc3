# What the other scripts share: where the repository is, and how missing packages get installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# say TEXT...: a line about what is going on, apart from the output of the tools.
say() { printf '== %s\n' "$*" >&2; }

# need_packages PACKAGE...: installs with apt what is not installed yet; quick when nothing is missing.
need_packages() {
  local missing=()
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  say "installing ${missing[*]}"
  local sudo=
  [ "$(id -u)" -eq 0 ] || sudo=sudo
  if ! command -v apt-get >/dev/null; then
    say "apt-get is not here; install these yourself: ${missing[*]}"
    exit 1
  fi
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# Boost 1.81 is beside 1.74 in Debian 12; newer systems have one that is new enough.
boost_package() {
  if apt-cache policy libboost1.81-dev 2>/dev/null | grep -q 'Candidate: [0-9]'; then
    echo libboost1.81-dev
  else
    echo libboost-dev
  fi
}

build_packages() {
  echo g++ cmake ninja-build ccache mold pkg-config nlohmann-json3-dev libyaml-cpp-dev libsqlite3-dev libssl-dev \
    doctest-dev libexpected-dev libcli11-dev libspdlog-dev libfmt-dev libre2-dev tzdata
}

install_build_packages() {
  # The package lists are needed to know which Boost there is; a fresh image has none.
  if ! ls /usr/include/boost/asio/as_tuple.hpp >/dev/null 2>&1; then
    if ! apt-cache policy libboost-dev 2>/dev/null | grep -q 'Candidate: [0-9]'; then
      local sudo=
      [ "$(id -u)" -eq 0 ] || sudo=sudo
      $sudo env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    fi
    need_packages "$(boost_package)"
  fi
  # shellcheck disable=SC2046
  need_packages $(build_packages)
}

# kubectls: every kubectl found, one a line: $KUBECTL, those on PATH, and versioned ones beside them.
kubectls() {
  if [ -n "${KUBECTL:-}" ]; then
    echo "$KUBECTL"
    return
  fi
  {
    command -v kubectl || true
    local folder
    for folder in ${PATH//:/ } /usr/lib/google-cloud-sdk/bin /opt/kubectl/bin; do
      ls "$folder"/kubectl.1.* "$folder"/kubectl-1.* 2>/dev/null || true
    done
  } | sort -u -V
}
