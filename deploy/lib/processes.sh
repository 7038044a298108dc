# shellcheck shell=bash
# Starts, watches and stops the processes of quickstart.sh. Sourced, never run; needs DATA and fail.
#
#   start NAME COMMAND…           in the background, output to DATA/logs/NAME.log
#   wait_until SECONDS SENTENCE FACT…  polls the command FACT; a dead process ends the wait
#   helper COMMAND…               runs in the foreground, but is stopped with the rest
#   show_progress LOG WHAT CARGO… the same, with one line of progress
#   watch                         returns never: waits until something dies
#   stop_all                      stops what start started, last but the bus and the cameras first
#
# Each process is in a session of its own, so that Ctrl-C reaches this script alone and the order of
# stopping is ours; the kernel ends them when this script is killed (setpriv --pdeathsig).

NAMES=()
PIDS=()
HELPER=

start() {
    local name="$1" log="$DATA/logs/$1.log"
    shift
    [ ! -f "$log" ] || mv -f "$log" "$log.1"
    setsid setpriv --pdeathsig TERM -- "$@" >"$log" 2>&1 </dev/null 9>&- &
    NAMES+=("$name")
    PIDS+=("$!")
}

# The name of the first process that is gone; nothing while all live.
dead_one() {
    local i
    for i in "${!PIDS[@]}"; do
        if ! kill -0 "${PIDS[$i]}" 2>/dev/null; then
            printf '%s' "${NAMES[$i]}"
            return 0
        fi
    done
    return 1
}

# Says which process is gone and why, as far as its log tells; nothing while all live.
report_dead() {
    local name
    name="$(dead_one)" || return 0
    printf '%s\n' "--- the end of $DATA/logs/$name.log" >&2
    tail -n 15 "$DATA/logs/$name.log" >&2
    printf '%s\n' '---' >&2
    fail "$name ended by itself; its whole log is $DATA/logs/$name.log"
}

wait_until() {
    local seconds="$1" sentence="$2" end=$((SECONDS + $1))
    shift 2
    until "$@" >/dev/null 2>&1; do
        report_dead
        [ "$SECONDS" -lt "$end" ] || fail "$sentence after $seconds s; see $DATA/logs"
        sleep 0.1
    done
}

# Signals reach bash while it waits, and not while it runs a command: so everything long is waited for.
helper() {
    local code=0
    setsid setpriv --pdeathsig TERM -- "$@" 9>&- </dev/null &
    HELPER=$!
    wait "$HELPER" || code=$?
    HELPER=
    return "$code"
}

show_progress() {
    local log="$1" what="$2" begun=$SECONDS code=0 shown=0
    shift 2
    setsid setpriv --pdeathsig TERM -- "$@" >>"$log" 2>&1 9>&- </dev/null &
    HELPER=$!
    while kill -0 "$HELPER" 2>/dev/null; do
        if [ -t 1 ]; then
            printf '\r    %s: %s s, %s\033[K' "$what" $((SECONDS - begun)) "$(last_crate "$log")"
        elif [ $((SECONDS - begun)) -ge $((shown + 30)) ]; then
            shown=$((SECONDS - begun))
            printf '    %s: %s s, %s\n' "$what" "$shown" "$(last_crate "$log")"
        fi
        sleep 0.5 &
        wait $!
    done
    wait "$HELPER" || code=$?
    HELPER=
    [ ! -t 1 ] || printf '\r\033[K'
    if [ "$code" != 0 ]; then
        printf '%s\n' "--- the end of $log" >&2
        tail -n 25 "$log" >&2
        printf '%s\n' '---' >&2
        fail "building the $what failed; the whole output is in $log"
    fi
    printf '    %s: built in %s s\n' "$what" $((SECONDS - begun))
}

last_crate() {
    tail -n 1 "$1" | sed 's/^ *//' | cut -c 1-60
}

watch() {
    while :; do
        wait -n "${PIDS[@]}" 2>/dev/null || true
        report_dead
    done
}

# stop_one NAME PID: asks, waits, and only after 20 s forces.
stop_one() {
    local name="$1" pid="$2" tick
    kill -TERM "$pid" 2>/dev/null || return 0
    for ((tick = 0; tick < 200; tick++)); do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.1
    done
    printf 'warning: %s did not stop within 20 s and was killed\n' "$name" >&2
    kill -KILL "$pid" 2>/dev/null || true
}

# The node first, while bus, index and cameras still live: its last objects are sealed and indexed.
stop_all() {
    local i order name
    trap '' INT TERM HUP
    trap - EXIT
    if [ -n "$HELPER" ]; then
        kill -TERM -- "-$HELPER" 2>/dev/null || true
        HELPER=
    fi
    [ "${#PIDS[@]}" -gt 0 ] || return 0
    printf '\nstopping:'
    for order in recorder-node control-plane nats-server camera-sim; do
        for i in "${!PIDS[@]}"; do
            name="${NAMES[$i]}"
            [ "$name" = "$order" ] || continue
            printf ' %s' "$name"
            stop_one "$name" "${PIDS[$i]}"
        done
    done
    printf ' – done\n'
    NAMES=()
    PIDS=()
}
