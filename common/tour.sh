# tour.sh: plays the scenes of the given lessons one after the other, and shows the ledger.
#
#   sh common/tour.sh 01-tcp-udp 09-nagle

LEDGER=$(mktemp) || exit 1
trap 'rm -f "$LEDGER"' EXIT
export LEDGER
bad=""
for lesson in "$@"; do
    printf '\n%s\n== %s\n' "$(printf '%100s' '' | tr ' ' '=')" "$lesson"
    (cd "$lesson" && sh ./run.sh) || bad="$bad $lesson"
done
awk -f common/ledger.awk "$LEDGER"
[ -z "$bad" ] || { echo "not as documented:$bad" && exit 1; }
