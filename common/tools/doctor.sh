# doctor.sh: what this machine offers, what a lesson loses without it, and the remedy.
#
#   sh common/tools/doctor.sh 01-tcp-udp 09-nagle ...

PATH=$PATH:/usr/sbin:/sbin # as flags.mk has it
bad=0

# say STATE WHAT LOSS REMEDY: the remedy on a line of its own.
say() {
    printf '  %-8s %-23s %s\n' "$1" "$2" "$3" | sed 's/ *$//'
    [ -z "$4" ] || printf '%35s%s\n' "" "$4"
}

# there PROGRAM PACKAGE: a package "python3-NAME" is a module of Python, "npm" stands for one of node.
there() {
    case $2 in
    python3-*) python3 -c "import ${2#*-}" || /usr/bin/python3 -c "import ${2#*-}" ;;
    npm) ls -d ./*/node_modules/"$1" || ls -d ./*/*/node_modules/"$1" ;;
    *) command -v "$1" ;;
    esac >/dev/null 2>&1
}

# check PROGRAM PACKAGE LOSS
check() {
    name=$1 remedy="apt-get install $2"
    case $2 in
    python3-*) name=$2 ;;
    npm) remedy="npm install, as in README.md" ;;
    esac
    if there "$1" "$2"; then
        say ok "$name" ""
    else
        say missing "$name" "$3" "$remedy"
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
    say missing "OpenSSL headers" "lesson 04 cannot be built" "apt-get install libssl-dev"
fi
played=""
for folder in "$@"; do
    needs=$(make -s --no-print-directory -C "$folder" missing)
    needs=${needs%%, *}
    if [ -z "$needs" ]; then
        played="$played $folder"
    else
        say "left out" "$folder" "it ${needs#* }"
    fi
done

echo "to see packets (common/wire/wire):"
[ -x common/wire/wire ] || make -s -C common >/dev/null 2>&1
# A server that ends at once: wire gets as far as starting it, or says which step is refused.
output=$(common/wire/wire --rtt 0 -- false -- true 2>&1)
status=$?
if [ ! -x common/wire/wire ]; then
    say missing "common/wire/wire" "it cannot be built yet"
elif [ $status -eq 3 ]; then
    say refused "namespaces and TUN" "claims about packets are skipped"
    echo "$output" | sed 's/^/           /'
else
    say ok "namespaces and TUN" ""
fi
limit=$(ulimit -Hn)
if [ "$limit" = unlimited ] || [ "$limit" -ge 1050 ]; then
    say ok "open files ($limit)" ""
else
    say low "open files ($limit)" "tests with 1,000 connections are skipped" "raise ulimit -Hn"
fi

echo "to test (make test):"
check patch patch "break/ is not tried"
check valgrind valgrind "no test looks for leaks"
check clang-format clang-format "only the format check of CI"
# "if need PROGRAM PACKAGE && need_module [FOLDER] NAME; then" in an interop.sh, one word a line: what, whence, where.
for folder in common $played; do
    [ ! -f "$folder/test/interop.sh" ] || sed -n 's/^ *if \(need.*\); then.*/\1/p' "$folder/test/interop.sh" |
        sed 's/ && /\n/g' | sed -n "s|^need_module [^ ]*[./][^ ]* \([^ ]*\).*|\1 npm $folder|p; t
            s|^need_module \(.*\)|\1 npm $folder|p; s|^need \(.*\)|\1 $folder|p"
done | sort -u | awk '{ sub(/-.*/, "", $3); folders[$1 " " $2] = folders[$1 " " $2] " " $3 }
    END { for (peer in folders) print peer folders[peer] }' | sort |
    while read -r program package folders; do
        check "$program" "$package" "its tests in $folders are skipped"
    done
exit $bad
