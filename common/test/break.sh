# break.sh: do the lesson's checks bite? Applies each break/NAME.patch to a copy of the lesson,
# builds it, and sees the check fail that the patch's head names (common/tools/patch_head.sh).
# $PATCHES are patches: only those.

. "$(dirname "$0")/../tools/patch_head.sh"
passed=0 failed=0 skipped=0
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
root=$(cd "$(dirname "$0")/../.." && pwd)
lesson=${PWD#"$root"/} # or a variation: 04-tls/termination

for patch in ${PATCHES:-break/*.patch}; do
    run=$(patch_field run "$patch")
    expected=$(patch_field expect "$patch")
    file=$(sed -n 's/^+++ b\///p' "$patch" | head -n 1)
    rm -rf "${copy:?}"/*
    cp -a "$root/common" "$copy"
    [ "$lesson" = common ] || cp -a "$root/${lesson%%/*}" "$copy"
    if ! (cd "$copy/$lesson" && patch -sp1 -F0 <"break/${patch#break/}" && make -s all build/test) >"$copy/log" 2>&1; then
        echo "FAILED  $patch does not apply or build:" && cat "$copy/log"
        failed=$((failed + 1))
        continue
    fi
    (cd "$copy/$lesson" && patch_run "$run") >"$copy/log" 2>&1
    status=$?
    # The README says how to take a patch back: that must work as well.
    if ! (cd "$copy/$lesson" && patch -sRp1 -F0 <"break/${patch#break/}" &&
        cmp -s "$file" "$OLDPWD/$file"); then
        echo "patch -R does not restore the lesson" >>"$copy/log" && status=0
    fi
    if [ $status -ne 0 ] && grep -qF "$expected" "$copy/log"; then
        echo "ok      $patch is noticed"
        passed=$((passed + 1))
    elif [ $status -eq 0 ] && patch_skipped "$copy/log"; then
        echo "skipped $patch: this machine allows no wire"
        skipped=$((skipped + 1))
    else
        printf 'FAILED  %s is not noticed: expected "%s" and an exit status other than 0, got %d and:\n' \
            "$patch" "$expected" $status
        cat "$copy/log"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
