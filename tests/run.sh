#!/usr/bin/env bash
# Runs all tests, installing what they need. `tests/run.sh --help` tells the rest.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    cat <<'HELP'
Usage: tests/run.sh [--no-install] [STEP…]

Installs what the tests need (apt packages, the wasm target, nats-server, npm packages) and runs them
all: formatting, lints, documentation, the web interface, every crate, the API against its OpenAPI
document, end to end, the browser.

  --no-install   install nothing; say what is missing instead
  STEP…          only these, of: static web crates contract e2e browser

Environment:
  CLOUDCAM_CACHE         where build output, tools and encoded loops go (default ~/.cache/cloudcam)
  CARGO_TARGET_DIR       build output (default $CLOUDCAM_CACHE/target)
  CLOUDCAM_E2E_SECONDS   length of the long recordings (default 300)
  CLOUDCAM_E2E_CUT_OFF   seconds for which a node is cut off from the bus (default 240; 600 for the full length)
  CLOUDCAM_E2E_REPLICAS_SECONDS  how long servers are killed behind a balancer (default 90)
HELP
}

steps=()
while [ $# -gt 0 ]; do
    case "$1" in
    --help | -h) usage; exit 0 ;;
    --no-install) export CLOUDCAM_NO_INSTALL=1 ;;
    static | web | crates | contract | e2e | browser) steps+=("$1") ;;
    *) printf 'error: unknown argument %s; see tests/run.sh --help\n' "$1" >&2; exit 2 ;;
    esac
    shift
done
[ "${#steps[@]}" -gt 0 ] || steps=(static web crates contract e2e browser)

# shellcheck source=deploy/lib/install.sh
. deploy/lib/install.sh
export CLOUDCAM_CACHE
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$CLOUDCAM_CACHE/target}"
export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-never}"
# Compiled output of a test run is thrown away with the next change; incremental files only fill the disk.
export CARGO_INCREMENTAL=0

# What tests start: the product, and the cameras it reads.
PROGRAMS=(--bin control-plane --bin recorder-node --bin camera-sim --bin gst-camera)

# What failed so far: one failure does not hide the next.
failures=()
attempt() {
    local name="$1"
    shift
    "$@" || failures+=("$name")
}

step() { printf '\n=== %s (%s)\n' "$1" "$(date -u +%H:%M:%S)"; }
wanted() { [[ " ${steps[*]} " == *" $1 "* ]]; }

# Sets SCHEMATHESIS: the pinned version, in an environment of its own.
install_schemathesis() {
    local needs=tests/contract/requirements.txt home
    home="$CLOUDCAM_CACHE/tools/schemathesis-$(sha256sum "$needs" | cut -c 1-12)"
    SCHEMATHESIS="$home/bin/schemathesis"
    [ ! -x "$SCHEMATHESIS" ] || return 0
    [ "$CLOUDCAM_NO_INSTALL" = 0 ] ||
        fail "schemathesis is missing, and nothing may be installed: put the packages of $needs into $home"
    python3 -c 'import ensurepip' 2>/dev/null || install_apt python3-venv
    say "installing: schemathesis into $home"
    rm -rf "$home"
    run_logged "making $home" python3 -m venv "$home"
    run_logged "installing schemathesis" "$home/bin/python" -m pip install --quiet --disable-pip-version-check -r "$needs"
}

step "install what is missing"
need_rust
ensure_disk "$CARGO_TARGET_DIR" 15000
install_apt "${BUILD_NEEDS[@]}" "${RUN_NEEDS[@]}" \
    pc:gstreamer-rtsp-server-1.0=libgstrtspserver-1.0-dev \
    ffmpeg=ffmpeg fonts-dejavu-core node=nodejs npm=npm chromium=chromium \
    nix-instantiate=nix-bin shellcheck=shellcheck python3=python3 git=git
command -v initdb >/dev/null || install_apt 'file:/usr/lib/postgresql/*/bin/initdb=postgresql'
install_wasm_target
install_nats
PATH="$(dirname "$NATS_SERVER"):$PATH"
export PATH
for component in rustfmt clippy; do
    cargo "${component/rustfmt/fmt}" --version >/dev/null 2>&1 || run_logged "adding $component" rustup component add "$component"
done

if wanted static; then
    step "formatting, shell scripts, the flake"
    cargo fmt --all --check
    git ls-files '*.sh' .ci/run | xargs shellcheck --external-sources
    nix-instantiate --parse flake.nix >/dev/null
    step "lints"
    cargo clippy --locked --workspace --exclude player --exclude ui --all-targets -- -D warnings
    cargo clippy --locked -p player -p ui --target wasm32-unknown-unknown -- -D warnings
    step "documentation"
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --exclude player --exclude ui --no-deps
fi

if wanted web || wanted e2e || wanted browser; then
    step "the web interface"
    cargo xtask ui
fi

# Always the whole workspace, whatever is to run of it: a dependency is compiled once for each set of features
# that the chosen packages want of it.
if wanted crates; then
    step "tests of all crates"
    attempt "tests of all crates" cargo test --locked --workspace --no-fail-fast
    step "tests of the control plane on PostgreSQL"
    CLOUDCAM_TEST_DATABASE=postgres CLOUDCAM_E2E_REPLICAS_SECONDS="${CLOUDCAM_E2E_REPLICAS_SECONDS:-90}" \
        attempt "tests on PostgreSQL" cargo test --locked --workspace --test core --test footage --no-fail-fast
fi

if wanted contract; then
    step "the API against its OpenAPI document"
    install_schemathesis
    cargo build --locked --workspace "${PROGRAMS[@]}"
    for database in sqlite postgres; do
        attempt "the API on $database" python3 tests/contract/contract.py --database "$database" --schemathesis "$SCHEMATHESIS" \
            --nats-server "$NATS_SERVER" --control-plane "$CARGO_TARGET_DIR/debug/control-plane"
    done
fi

if wanted e2e || wanted browser; then
    step "end to end"
    npm ci --prefix tests/js --no-audit --no-fund --loglevel=error
    npm ci --prefix tests/browser --no-audit --no-fund --loglevel=error
    cargo build --locked --workspace "${PROGRAMS[@]}"
    # They wait for cameras more than they work.
    if wanted e2e && wanted browser; then
        attempt "end to end" cargo test --locked --workspace --test e2e -- --test-threads 4
    elif wanted e2e; then
        attempt "end to end" cargo test --locked --workspace --test e2e -- --test-threads 4 --skip browser
    else
        attempt "the browser" cargo test --locked --workspace --test e2e browser
    fi
fi

if [ "${#failures[@]}" -gt 0 ]; then
    step "failed"
    printf '%s\n' "${failures[@]}"
    exit 1
fi
step "all passed"
