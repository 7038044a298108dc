#!/usr/bin/env bash
# Counts the instructions of the functions on the hot path, and prints what moved since the baseline.
# `benches/compare.sh --help` tells the rest.
set -euo pipefail
here="$PWD"
cd "$(dirname "$0")/.."

usage() {
    cat <<'HELP'
Usage: benches/compare.sh [OPTION…] [WHAT…]

Builds the bench 'hot', counts the instructions of each of its functions under callgrind, and compares them
with the committed baseline. A machine that is busy counts the same. Takes a build and about a minute.

  WHAT…                only functions with one of these words in their name, such as 'cut' or 'plan/1000'
  --threshold PERCENT  what moved by more is marked, and fails when it is slower (default 2)
  --baseline FILE      another baseline than benches/baseline/<target>.csv
  --update             write the counts into the baseline
  --twice              count each twice, and fail when two counts differ by more than 0.1 %
  --no-install         install nothing; say what is missing instead

Exit code: 0 nothing slower than the threshold; 1 something is, or an error; 2 wrong arguments; 3 the baseline
was made with other tools, so that nothing is concluded.

Environment:
  CLOUDCAM_CACHE    where callgrind's files go (default ~/.cache/cloudcam)
  CARGO_TARGET_DIR  build output (default $CLOUDCAM_CACHE/target)
HELP
}

wrong() {
    printf 'error: %s; see benches/compare.sh --help\n' "$*" >&2
    exit 2
}

threshold=2 baseline='' update=0 twice=0 words=()
while [ $# -gt 0 ]; do
    case "$1" in
    --help | -h) usage; exit 0 ;;
    --threshold)
        threshold="${2:-}"
        [[ "$threshold" =~ ^[0-9]+([.][0-9]+)?$ ]] || wrong "--threshold wants a number of percent"
        shift
        ;;
    --baseline)
        baseline="${2:-}"
        [ -n "$baseline" ] || wrong "--baseline wants a file"
        [[ "$baseline" = /* ]] || baseline="$here/$baseline"
        shift
        ;;
    --update) update=1 ;;
    --twice) twice=1 ;;
    --no-install) export CLOUDCAM_NO_INSTALL=1 ;;
    -*) wrong "unknown option $1" ;;
    *) words+=("$1") ;;
    esac
    shift
done

# shellcheck source=deploy/lib/install.sh
. deploy/lib/install.sh
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$CLOUDCAM_CACHE/target}"
export CARGO_INCREMENTAL=0

need_rust
ensure_disk "$CARGO_TARGET_DIR" 4000
install_apt "${BUILD_NEEDS[@]}" valgrind=valgrind
valgrind="$(command -v valgrind)"

target="$(rustc -vV | sed -n 's/^host: //p')"
baseline="${baseline:-benches/baseline/$target.csv}"

# What the counts depend on beside the source, as the head of a baseline.
head_of_counts() {
    local cpu=plain
    # Valgrind shows programs the AVX2 of the machine; libc and several crates then take other ways.
    ! grep -qw avx2 /proc/cpuinfo || cpu=avx2
    printf '# %s\n' "Instructions of each function by callgrind; written by benches/compare.sh --update" \
        "$(rustc --version)" "target $target" "cpu $cpu" "rustflags ${RUSTFLAGS:-none}" \
        "$("$valgrind" --version)" "libc $(getconf GNU_LIBC_VERSION 2>/dev/null || echo unknown)"
    printf 'name,instructions,made\n'
}

printf '=== build\n' >&2
binary="$(cargo bench --locked -p benches --bench hot --no-run --message-format=json-render-diagnostics |
    sed -n '/"name":"hot"/s/.*"executable":"\([^"]*\)".*/\1/p')"
[ -x "$binary" ] || fail "cargo built no bench 'hot'"

mapfile -t all < <("$binary" --counted)
names=()
for name in "${all[@]}"; do
    chosen="$([ "${#words[@]}" -gt 0 ] || echo yes)"
    for word in "${words[@]}"; do [[ "$name" != *"$word"* ]] || chosen=yes; done
    [ -z "$chosen" ] || names+=("$name")
done
[ "${#names[@]}" -gt 0 ] || wrong "nothing has ${words[*]} in its name"

details="$CLOUDCAM_CACHE/callgrind"
mkdir -p "$details"
ln -sf "$binary" "$details/hot"
counts="$(mktemp)"
trap 'rm -f "$counts" "$counts".*' EXIT

# count NAME: sets made and instructions.
count() {
    local file="./${1//[^A-Za-z0-9]/-}.out"
    # Neither environment nor name may differ between two machines: their length moves the stack.
    made="$(cd "$details" && env -i ${LD_LIBRARY_PATH:+LD_LIBRARY_PATH="$LD_LIBRARY_PATH"} "$valgrind" --quiet \
        --tool=callgrind --collect-atstart=no --toggle-collect='*callgrind_counts_this*' \
        --callgrind-out-file="$file" ./hot --count "$1")" || fail "$1 did not run under callgrind"
    instructions="$(sed -n 's/^totals: //p' "$details/$file")"
    [ "${instructions:-0}" -gt 0 ] || fail "callgrind counted nothing of $1"
}

printf '=== count\n' >&2
widest=0
for index in "${!names[@]}"; do
    name="${names[index]}"
    began="$SECONDS"
    count "$name"
    if [ "$twice" = 1 ]; then
        first="$instructions"
        count "$name"
        apart="$(awk -v a="$first" -v b="$instructions" 'BEGIN { d = (b - a) / a * 100; print d < 0 ? -d : d }')"
        widest="$(awk -v a="$widest" -v b="$apart" 'BEGIN { print (a > b ? a : b) }')"
    fi
    printf '%s,%s,%s\n' "$name" "$instructions" "$made" >>"$counts"
    printf '    %2d of %d  %-42s %14d  %d s\n' $((index + 1)) "${#names[@]}" "$name" "$instructions" \
        $((SECONDS - began)) >&2
done

head_of_counts >"$counts.head"
alike=yes
if [ -f "$baseline" ]; then
    grep '^#' "$baseline" | diff - <(grep '^#' "$counts.head") >"$counts.diff" || alike=''
fi

# Names of the baseline that are not in the binary count as gone, unless only some were chosen.
printf '%s\n' "${names[@]}" >"$counts.names"
printf '=== what moved since %s\n' "$baseline" >&2
slower=0
awk -F, -v threshold="$threshold" -v some="${#words[@]}" '
    FILENAME ~ /names$/ { order[++count] = $0; next }
    /^#/ || $1 == "name" { next }
    FILENAME != counts { old[$1] = $2; did[$1] = $3; before[++known] = $1; next }
    { new[$1] = $2; does[$1] = $3 }
    function row(name, from, to, change, word) { printf "%-42s %14s %14s %9s  %s\n", name, from, to, change, word }
    END {
        row("function", "baseline", "now", "change", "")
        for (i = 1; i <= count; i++) {
            name = order[i]
            if (!(name in old)) { row(name, "-", new[name], "", "new"); continue }
            change = (new[name] - old[name]) / old[name] * 100
            word = change > threshold ? "SLOWER" : change < -threshold ? "faster" : ""
            if (did[name] != does[name]) word = word (word ? ", " : "") "does other work: made " did[name] ", now " does[name]
            bad += change > threshold
            row(name, old[name], new[name], new[name] == old[name] ? "=" : sprintf("%+.2f %%", change), word)
        }
        for (i = 1; i <= known; i++) if (!some && !(before[i] in new)) row(before[i], old[before[i]], "-", "", "gone")
        exit bad > 0
    }' counts="$counts" "$counts.names" "$([ -f "$baseline" ] && echo "$baseline" || echo /dev/null)" "$counts" || slower=1
say "callgrind_annotate on the files in $details shows where instructions go"

if [ "$twice" = 1 ]; then
    say "two counts of the same function differ by at most $widest %"
    awk -v widest="$widest" 'BEGIN { exit widest > 0.1 }' || fail "two counts differ by $widest %, more than 0.1 %"
fi

if [ "$update" = 1 ]; then
    if [ "${#words[@]}" -gt 0 ]; then
        [ -f "$baseline" ] || fail "there is no $baseline yet: count everything"
        [ -n "$alike" ] || fail "$baseline was made with other tools: update all of it, without naming functions"
    fi
    mkdir -p "$(dirname "$baseline")"
    {
        cat "$counts.head"
        # In the order of the binary: what was counted now, and what was there before.
        for name in "${all[@]}"; do
            for file in "$counts" "$baseline"; do
                [ -f "$file" ] && awk -F, -v name="$name" '$1 == name { print; found = 1 } END { exit !found }' "$file" && break
            done
        done || true
    } >"$counts.new"
    cp "$counts.new" "$baseline"
    say "written: $baseline"
    exit 0
fi

[ -f "$baseline" ] || fail "there is no $baseline: --update makes one"
if [ -z "$alike" ]; then
    printf 'nothing is concluded: the baseline (<) was made with other tools than these (>)\n' >&2
    cat "$counts.diff" >&2
    exit 3
fi
exit "$slower"
