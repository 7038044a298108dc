#!/usr/bin/env bash
# CloudCam on this machine, from a clean clone to cameras that are recorded: installs what is missing,
# builds, starts nats-server, control plane, recorder node and two simulated cameras, and stays until
# Ctrl-C. Everything it writes is in one data folder; a second start goes on with it.
set -euo pipefail

HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
ROOT="$(dirname "$HERE")"
PANEL="$HERE/lib/panel.py"
# shellcheck source=deploy/lib/install.sh
. "$HERE/lib/install.sh"
# shellcheck source=deploy/lib/processes.sh
. "$HERE/lib/processes.sh"

usage() {
    cat <<TEXT
Usage: deploy/quickstart.sh [OPTION]…

Installs what is missing, builds, starts everything on this machine, and prints where to look.
Ctrl-C stops all of it; the next start goes on with the same data.

  --camera URL   record this camera (rtsp://… or rtsps://…, credentials inside if it asks for
                 some); may be given again. Without it: two simulated cameras with a clock.
  --data DIR     where footage, databases, secrets and logs are
                 (default: $DEFAULT_DATA)
  --port N       port of the web panel on 127.0.0.1 (default: 8080)
  --release      build with full optimisation: takes several times as long, records with less CPU
  --no-install   install nothing; name what is missing instead
  --help         this text

Settings of the two programs come from the environment: CLOUDCAM_CONTROL__… and CLOUDCAM_NODE__…,
as README.md says.
TEXT
}

wrong_use() {
    printf 'error: %s; --help lists the options\n' "$*" >&2
    exit 2
}

DEFAULT_DATA="${XDG_DATA_HOME:-$HOME/.local/share}/cloudcam"
DATA="$DEFAULT_DATA"
PORT=8080
PROFILE=dev
CAMERAS=()
while [ $# -gt 0 ]; do
    case "$1" in
    --camera | --data | --port)
        [ -n "${2:-}" ] || wrong_use "$1 wants a value"
        case "$1" in
        --camera) CAMERAS+=("$2") ;;
        --data) DATA="$2" ;;
        --port) PORT="$2" ;;
        esac
        shift 2
        ;;
    --camera=* | --data=* | --port=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" ;;
    --release) PROFILE=release && shift ;;
    --no-install) export CLOUDCAM_NO_INSTALL=1 && shift ;;
    -h | --help) usage && exit 0 ;;
    *) wrong_use "unknown option '$1'" ;;
    esac
done
case "$PORT" in
'' | *[!0-9]* | ??????*) wrong_use "--port wants a number from 1024 to 65535, not '$PORT'" ;;
esac
{ [ "$PORT" -ge 1024 ] && [ "$PORT" -le 65535 ]; } ||
    wrong_use "--port wants a number from 1024 to 65535, not '$PORT'"
BASE="http://127.0.0.1:$PORT"

# The same build output as tests/run.sh: what one built, the other need not.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$CLOUDCAM_CACHE/target}"
export CARGO_TERM_COLOR=never CARGO_INCREMENTAL=0 NO_COLOR=1 RUST_BACKTRACE=0
BIN="$CARGO_TARGET_DIR/debug"

STEPS=7
step() { printf '[%s/%s] %s\n' "$1" "$STEPS" "$2"; }

# One start at a time on one data folder. The lock goes when this process ends, however it ends.
take_data() {
    case "$DATA" in
    *[\"\\\|\&]*) fail "the data folder's name must not contain any of these: \" \\ | &" ;;
    esac
    mkdir -p "$DATA" 2>/dev/null || fail "the data folder $DATA cannot be created: choose another one with --data"
    DATA="$(cd "$DATA" && pwd)"
    [ -w "$DATA" ] || fail "the data folder $DATA cannot be written: choose another one with --data"
    chmod 700 "$DATA"
    exec 9>>"$DATA/lock"
    flock --nonblock 9 ||
        fail "CloudCam is already running on $DATA (process $(cat "$DATA/pid" 2>/dev/null || printf unknown)): stop that one, or choose another folder with --data"
    printf '%s\n' "$$" >"$DATA/pid"
    ensure_disk "$DATA" 1024
}

install_needs() {
    need_rust
    install_apt "${BUILD_NEEDS[@]}" "${RUN_NEEDS[@]}" "${SIMULATOR_NEEDS[@]}" \
        python3=python3 flock=util-linux setsid=util-linux
    install_wasm_target
    install_nats
}

check_arguments() {
    local url
    for url in "${CAMERAS[@]}"; do
        python3 "$PANEL" check-camera "$url" || exit 2
    done
    python3 "$PANEL" port-is-free "$PORT" ||
        fail "port $PORT on 127.0.0.1 is taken by another program: choose another one with --port"
}

build() {
    local log="$DATA/logs/build.log" room_mb=6144
    [ "$PROFILE" = dev ] || BIN="$CARGO_TARGET_DIR/release"
    [ ! -x "$BIN/recorder-node" ] || room_mb=1024
    ensure_disk "$(dirname "$BIN")" "$room_mb"
    : >"$log"
    show_progress "$log" "web panel and player" \
        cargo run --locked --manifest-path "$ROOT/Cargo.toml" --package xtask -- ui
    show_progress "$log" "programs" \
        cargo build --locked --manifest-path "$ROOT/Cargo.toml" --profile "$PROFILE" \
        --package control-plane --package recorder-node --package tests \
        --bin control-plane --bin recorder-node --bin camera-sim
}

# The installation's keys are made once; the bus lets in who has a token that they sign, and nobody else.
write_config() {
    BUS_PORT="$(python3 "$PANEL" free-port "$DATA/bus-port")"
    mkdir -p "$DATA/control" "$DATA/nats"
    cat >"$DATA/control.toml" <<TOML
# Written by quickstart.sh at each start; use CLOUDCAM_CONTROL__… in the environment instead.
data_dir = "$DATA/control"

[http]
bind = "127.0.0.1:$PORT"

[bus]
url = "nats://127.0.0.1:$BUS_PORT"
TOML
    run_logged "making the keys" "$BIN/control-plane" init --config "$DATA/control.toml"
    run_logged "writing the bus' configuration" "$BIN/control-plane" nats-config \
        --config "$DATA/control.toml" --out "$DATA/nats.conf" --store-dir "$DATA/nats" \
        --port "$BUS_PORT" --max-store 2GB
}

start_bus() {
    write_config
    start nats-server "$NATS_SERVER" -c "$DATA/nats.conf"
    wait_until 20 "nats-server does not answer" python3 "$PANEL" bus-answers "$BUS_PORT"
}

start_control_plane() {
    start control-plane "$BIN/control-plane" serve --config "$DATA/control.toml"
    wait_until 30 "the control plane does not get ready" python3 "$PANEL" is-ready "$BASE"
}

start_node() {
    mkdir -p "$DATA/node"
    cat >"$DATA/node.toml" <<TOML
# Written by quickstart.sh at each start; use CLOUDCAM_NODE__… in the environment instead.
data_dir = "$DATA/node"

[bus]
# Another one than at the last start, if that was taken meanwhile.
url = "nats://127.0.0.1:$BUS_PORT"

[spool]
# The store is on the same disk: two gigabytes of copies are enough.
max_bytes = 2000000000
TOML
    [ -f "$DATA/node/identity.json" ] || join_node
    start recorder-node "$BIN/recorder-node" run --config "$DATA/node.toml"
}

# The node makes its own key; a token that works once lets it join.
join_node() {
    local token
    token="$("$BIN/control-plane" enrolment-token --bare --config "$DATA/control.toml")" ||
        fail "no enrolment token was made; see above"
    CLOUDCAM_ENROLMENT_TOKEN="$token" run_logged "joining of the node" \
        "$BIN/recorder-node" enrol --config "$DATA/node.toml" --server "$BASE"
}

# Simulated cameras run when none was named, and again at each start of a folder that has them.
wants_demo() {
    if [ -f "$DATA/cameras.json" ]; then
        grep -q '"demo"' "$DATA/cameras.json"
    else
        [ "${#CAMERAS[@]}" = 0 ]
    fi
}

start_demo_cameras() {
    DEMO_PORT=
    if ! wants_demo; then
        say "none: real cameras were named"
        return 0
    fi
    DEMO_PORT="$(python3 "$PANEL" free-port "$DATA/demo-camera-port")"
    start camera-sim "$BIN/camera-sim" --live --cameras 2 --port "$DEMO_PORT"
    wait_until 30 "the simulated cameras do not get ready" grep -q '"ready"' "$DATA/logs/camera-sim.log"
}

record() {
    local arguments=(--base "$BASE" --password-file "$DATA/control/admin-password" --state "$DATA/cameras.json") url code=0
    if [ -n "$DEMO_PORT" ]; then
        arguments+=(--demo-port "$DEMO_PORT" --demo-path cam/0 --demo-path cam/1)
    fi
    for url in "${CAMERAS[@]}"; do arguments+=(--camera "$url"); done
    helper python3 "$PANEL" cameras "${arguments[@]}" --pids "$(IFS=,; printf '%s' "${PIDS[*]}")" || code=$?
    [ "$code" = 0 ] || { report_dead; exit 1; }
}

summary() {
    cat <<TEXT

CloudCam is running (ready $((SECONDS - STARTED)) s after the programs were built).

    panel      $BASE/
    player     $BASE/player/
    API        $BASE/api/docs/
    sign in    admin, with the password in $DATA/control/admin-password
    data       $DATA
    logs       $DATA/logs

Ctrl-C stops everything; footage is sealed first.
TEXT
}

main() {
    # flock and setsid are part of every Debian and Ubuntu; elsewhere the lock is the first to miss them.
    command -v flock >/dev/null || install_apt flock=util-linux
    take_data
    mkdir -p "$DATA/logs"
    # Stopping what runs is success; stopping a start is not.
    INTERRUPTED=130
    trap 'stop_all; exit "$INTERRUPTED"' INT TERM HUP
    trap 'stop_all' EXIT
    step 1 "installing what is missing"
    install_needs
    check_arguments
    step 2 "building (a first build takes some minutes on two cores, a later one seconds; log: $DATA/logs/build.log)"
    build
    umask 077
    STARTED=$SECONDS
    # Before the node, which would otherwise find its cameras gone at a second start.
    step 3 "starting the simulated cameras"
    start_demo_cameras
    step 4 "starting nats-server"
    start_bus
    step 5 "starting the control plane"
    start_control_plane
    step 6 "starting the recorder node"
    start_node
    step 7 "waiting for the cameras"
    record
    summary
    INTERRUPTED=0
    watch
}

main
