# cross.sh: does the workbench compile without a warning, and do the tests that start no other program
# pass, on other processors and with another C library? `make cross` runs it. It works on a copy of this
# folder, so that nothing here is built anew; a compiler that is not there is skipped (with STRICT=1:
# failed). README.md, "Other machines", says what to install, and why not on the machine in use.
#
# The compilers are Debian's. An emulator runs a program, but not what that starts (ALONE in
# test_server.h).
passed=0 failed=0 skipped=0
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
trap 'exit 130' INT TERM
tar -c --exclude=build --exclude=node_modules --exclude=.git . | tar -x -C "$copy"
# musl has no headers of the kernel: those of this machine serve. (Not all of /usr/include: it has glibc's.)
mkdir "$copy/kernel"
for part in linux asm asm-generic; do
    for place in /usr/include /usr/include/*-linux-gnu; do
        [ ! -d "$place/$part" ] || [ -e "$copy/kernel/$part" ] || ln -s "$place/$part" "$copy/kernel/$part"
    done
done

result() { # ok|FAILED|skipped NAME
    printf '%-7s %s\n' "$1" "$2"
    case $1 in ok) passed=$((passed + 1)) ;; skipped) skipped=$((skipped + 1)) ;; *) failed=$((failed + 1)) ;; esac
}

# build COMPILER TARGET: -O0 is enough for the warnings that differ by processor. STRICT=1 would make a
# failure of each test that ALONE=1 skips; and other flags than before would build everything anew.
build() {
    (cd "$copy" && make -j2 -O CC="$1" CFLAGS="-O0 -Werror" STRICT= ALONE=1 EMULATOR="$emulator" "$2") >"$copy/log" 2>&1
}

# cross NAME PACKAGE EMULATOR COMPILER...
cross() {
    name=$1 package=$2 emulator=$3
    shift 3
    echo "-- $name"
    if ! command -v "$1" >/dev/null; then
        if [ -n "$STRICT" ]; then result FAILED "$1: apt-get install $package"; else result skipped "$1: apt-get install $package"; fi
        return
    fi
    (cd "$copy" && make -s clean) >/dev/null 2>&1
    if build "$*" all; then
        result ok "$name: no warning"
    else
        grep -E -A 8 'warning:|error:' "$copy/log" || tail -n 20 "$copy/log"
        result FAILED "$name: it does not compile without a warning"
        return
    fi
    if [ "$emulator" != none ] && ! command -v "$emulator" >/dev/null; then
        result skipped "$emulator: apt-get install qemu-user"
        return
    fi
    [ "$emulator" != none ] || emulator=
    build "$*" unit
    status=$?
    grep -a -B 6 '^FAILED' "$copy/log"
    # shellcheck disable=SC2046 # three numbers
    set -- $(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$copy/log" | tail -n 1)
    if [ $status -ne 0 ] && [ "${2:-0}" -eq 0 ]; then # a test that does not compile is not counted
        grep -a -E -A 8 'warning:|error:' "$copy/log" || tail -n 20 "$copy/log"
        set -- "${1:-0}" 1 "${3:-0}"
    fi
    echo "        $name: unit tests: $1 passed, $2 failed, $3 start another program"
    passed=$((passed + $1)) failed=$((failed + $2))
}

cross "ARM, 64 bits" gcc-aarch64-linux-gnu qemu-aarch64 aarch64-linux-gnu-gcc
cross "ARM, 32 bits" gcc-arm-linux-gnueabihf qemu-arm arm-linux-gnueabihf-gcc
cross "x86, 32 bits" gcc-i686-linux-gnu none i686-linux-gnu-gcc
cross "musl" musl-tools none musl-gcc -idirafter "$copy/kernel"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
