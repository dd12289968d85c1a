# tour.sh: plays the scenes of the given lessons one after the other, and shows the ledger.
#
#   sh common/tools/tour.sh 01-tcp-udp 09-nagle

LEDGER=$(mktemp) || exit 1
trap 'rm -f "$LEDGER"' EXIT
export LEDGER
bad=""
. common/tools/width.sh
# A server that ends at once: wire gets as far as starting it, or says what this machine refuses.
refusal=$(common/wire/wire --rtt 0 -- false -- true 2>&1)
if [ $? -eq 3 ]; then
    printf '%s\nThis machine allows no wire. All scenes are played on loopback, and the claims\nthat need packets are skipped.\n' "$refusal"
    export WIRE_REFUSED=1
fi
for lesson in "$@"; do
    printf '\n%s\n== %s\n' "$(printf "%${width}s" '' | tr ' ' '=')" "$lesson"
    [ -x "$lesson/play" ] || { make -s --no-print-directory -C "$lesson" && continue; }
    (cd "$lesson" && sh ./run.sh)
    case $? in
    0) ;;
    130) exit 130 ;; # ctrl-C
    2) [ -n "$SCENE" ] || bad="$bad $lesson" ;; # it has no such scene
    *) bad="$bad $lesson" ;;
    esac
done
[ -s "$LEDGER" ] || exit 2 # nothing was played
sort -t. -k1,1n -k2,2n "$LEDGER" | LC_ALL=C awk -v WIDTH="$width" -f common/tools/terminal.awk -f common/tools/ledger.awk
[ -z "$bad" ] || { echo "not as documented:$bad" && exit 1; }
