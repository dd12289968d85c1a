# doctor.sh: what this machine offers, what a lesson loses without it, and the remedy.
#
#   sh common/doctor.sh 01-tcp-udp 09-nagle ...

PATH=$PATH:/usr/sbin:/sbin # as flags.mk has it
bad=0
say() { printf '  %-8s %-26s %s\n' "$1" "$2" "$3"; }

# check PROGRAM PACKAGE LOSS
check() {
    if command -v "$1" >/dev/null; then
        say ok "$1" ""
    else
        say missing "$1" "$3; apt-get install $2"
        [ "$4" != needed ] || bad=1
    fi
}

echo "to build:"
check "${CC:-cc}" build-essential "nothing can be built" needed
check make make "nothing can be built" needed
if ! ls -d 04-* >/dev/null 2>&1; then
    : # no lesson needs OpenSSL yet
elif echo '#include <openssl/ssl.h>' | ${CC:-cc} -E - >/dev/null 2>&1; then
    say ok "OpenSSL headers" ""
else
    say missing "OpenSSL headers" "lesson 04 cannot be built; apt-get install libssl-dev"
fi

echo "to see packets (common/wire):"
[ -x common/wire ] || make -s -C common >/dev/null 2>&1
# A server that ends at once: wire gets as far as starting it, or says which step is refused.
output=$(common/wire --rtt 0 -- false -- true 2>&1)
if [ $? -eq 3 ]; then
    say refused "namespaces and TUN" "scenes run on loopback, and claims about packets are skipped"
    echo "$output" | sed 's/^/           /'
else
    say ok "namespaces and TUN" ""
fi
limit=$(ulimit -Hn)
if [ "$limit" = unlimited ] || [ "$limit" -ge 1050 ]; then
    say ok "open files ($limit)" ""
else
    say low "open files ($limit)" "tests with 1,000 connections are skipped; raise ulimit -Hn"
fi

echo "to test (make test):"
check patch patch "break/ is not tried"
check clang-format clang-format "only the format check of CI"
for folder in common "$@"; do
    [ ! -f "$folder/interop.sh" ] ||
        sed -n "s/^ *if need \([^ ]*\) \([^;]*\); then/\1 \2 $folder/p" "$folder/interop.sh"
done | sort -u | awk '{ folders[$1 " " $2] = folders[$1 " " $2] " " $3 }
    END { for (peer in folders) print peer folders[peer] }' | sort |
    while read -r program package folders; do
        check "$program" "$package" "this peer is skipped in $folders"
    done
exit $bad
