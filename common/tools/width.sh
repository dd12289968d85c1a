# width.sh: sets $width to the columns that a line of output may have, from 80 to 100: as many as
# the terminal has, or as $COLUMNS says; 100 where neither is known. (text.h has the same rule.)

{ width=$(stty size 2>/dev/null <&5); } 5>&1
width=${width#* }
[ "${width:-0}" -gt 0 ] || width=${COLUMNS:-100}
[ "$width" -le 100 ] 2>/dev/null || width=100
[ "$width" -ge 80 ] || width=80
