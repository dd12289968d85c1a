# scene.sh: what every lesson's run.sh is made of.
#
#   . ../common/scene.sh             (in a variation: SERVER=proxy, where it is not "server",
#                                     and . ../../common/scene.sh)
#   scene NAME [link options for wire] [-- options for ./server]     one line for each scene
#   scene NAME [link options] --node A ... --node B ... -- B: ./server -- A: ./play
#   more NAME ...                    as scene, but the tour leaves this one out: it is played with
#                                    MORE=1, when SCENE chooses it, and by make test
#   finish
#
# From the environment: SCENE (a name or number: only this one), MORE (set: all of them), ARGS (further link options, for
# the scenes that have a link; with nodes they are for all of them), LEDGER (a file that collects the claims; else finish shows them),
# WIRE_REFUSED (set: this machine allows no wire, and that has been said).

common=../common
[ -d $common ] || common=../../common
. $common/tools/width.sh
lesson=${PWD#"$(cd $common/.. && pwd)"/}
number=0 played=0 left_out=0 failed="" names=""
if [ -z "$LEDGER" ]; then
    LEDGER=$(mktemp) && own_ledger=1 && trap 'rm -f "$LEDGER"' EXIT
fi
export LEDGER
started=$(date +%s.%N)

# Plays scene $name with the link options in $1. Where this machine allows no wire (exit status
# 3), it is played on loopback, and the claims that need the wire are skipped.
play() {
    [ -n "$1" ] || programs="$server -- ./play" # no nodes on loopback
    # No wider than the terminal.
    printf '\n$ %s\n' "$common/wire/wire$1 -- $programs $name" |
        sed -E "/.{$((width + 1))}/s/ (--|--node|--nat|--balancer) / \\\\\n    \1 /g" |
        sed -E "/.{$((width + 1))}/s/^(.{1,$((width - 2))}) (--[a-z])/\1 \\\\\n        \2/"
    # shellcheck disable=SC2086 # options are words
    $common/wire/wire $1 -- $programs "$name"
    status=$?
    if [ $status -eq 3 ]; then
        echo "No wire here, see above: on loopback, and what needs packets is skipped:"
        export WIRE_REFUSED=1
        play ""
    elif [ $status -eq 2 ] || [ $status -eq 130 ]; then
        exit $status # a bad option, or ctrl-C: not the scene's fault
    elif [ $status -ne 0 ]; then
        failed="$failed $name"
    fi
}

scene() {
    name=$1 link="" nodes="" server=./${SERVER:-server}
    number=$((number + 1)) names="$names $name"
    shift
    [ -z "$SCENE" ] || [ "$SCENE" = "$number" ] || [ "$SCENE" = "$name" ] || return 0
    played=$((played + 1))
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        case "$nodes $1" in # from the first of these on
        " --node"* | " --nat"* | " --balancer"*) nodes="$nodes $1" ;;
        *) link="$link $1" ;;
        esac
        shift
    done
    [ $# -eq 0 ] || shift
    programs=$*
    if [ -z "$nodes" ]; then
        server="$server${1:+ $*}"
        programs="$server -- ./play"
    fi
    if [ -n "$link$nodes" ]; then
        link="$link${ARGS:+ $ARGS}$nodes" # of an option given twice the last one counts
    elif [ -n "$ARGS" ]; then
        printf '\n(scene %s is on loopback: ARGS is for the scenes that have a link)\n' "$name"
    fi
    [ -z "$WIRE_REFUSED" ] || link=""
    play "$link"
}

more() {
    if [ -n "$SCENE$MORE" ]; then
        scene "$@"
    else
        number=$((number + 1)) left_out=$((left_out + 1))
    fi
}

finish() {
    if [ $played -eq 0 ]; then
        printf '%s\n' "$lesson has no scene '$SCENE'; there are:" " $names" >&2
        exit 2
    fi
    printf 'seconds\t%s\t%s\n' "$lesson" \
        "$(awk -v a="$started" -v b="$(date +%s.%N)" 'BEGIN { printf "%.1f", b - a }')" >>"$LEDGER"
    [ $left_out -eq 0 ] || printf 'more\t%s\t%d\n' "$lesson" $left_out >>"$LEDGER"
    [ -z "$own_ledger" ] || sort -t. -k1,1n -k2,2n "$LEDGER" | LC_ALL=C awk -v WIDTH="$width" \
        -f $common/tools/terminal.awk -f $common/tools/ledger.awk
    [ -z "$failed" ] || { echo "$lesson: not as documented:$failed" && exit 1; }
}
