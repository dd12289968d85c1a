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

# cross NAME PACKAGE EMULATOR COMPILER...: -O0 is enough for the warnings that differ by processor.
cross() {
    name=$1 package=$2 emulator=$3
    shift 3
    echo "-- $name"
    if ! command -v "$1" >/dev/null; then
        if [ -n "$STRICT" ]; then result FAILED "$1: apt-get install $package"; else result skipped "$1: apt-get install $package"; fi
        return
    fi
    (cd "$copy" && make -s clean) >/dev/null 2>&1
    if (cd "$copy" && make -j2 CC="$*" CFLAGS=-O0 STRICT=1) >"$copy/log" 2>&1; then
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
    (cd "$copy" && make -j2 -O CC="$*" CFLAGS=-O0 ALONE=1 EMULATOR="$emulator" unit) >"$copy/log" 2>&1
    grep -a -B 6 '^FAILED' "$copy/log"
    counts=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2/p' "$copy/log" | tail -n 1)
    [ -n "$counts" ] || { tail -n 20 "$copy/log"; counts="0 1"; }
    echo "        $name: unit tests that need no other program: ${counts% *} passed, ${counts#* } failed"
    passed=$((passed + ${counts% *})) failed=$((failed + ${counts#* }))
}

cross "ARM, 64 bits" gcc-aarch64-linux-gnu qemu-aarch64 aarch64-linux-gnu-gcc
cross "ARM, 32 bits" gcc-arm-linux-gnueabihf qemu-arm arm-linux-gnueabihf-gcc
cross "x86, 32 bits" gcc-i686-linux-gnu none i686-linux-gnu-gcc
cross "musl" musl-tools none musl-gcc -idirafter "$copy/kernel"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
