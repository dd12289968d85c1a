# printed.awk: see common/test/printed.awk.
scene == "mapped" && /^  (alice|carol) / {
    sub(/:.*/, "", cell[2])
    outer = cell[3]
    sub(/:.*/, "", outer)
    sockets++
    inside += !(cell[2] in seen)
    outside += !(outer in seen)
    ports += !(cell[3] in seen)
    seen[cell[2]] = seen[outer] = seen[cell[3]] = 1
    rows = rows "\n" $0
}
END {
    check("1.17", "three sockets, two hosts behind one other address, each socket at a port of its own", sockets == 3,
          inside == 2 && outside == 1 && ports == 3, rows)
    table("1.18", "types", "full cone|comes in|comes in|comes in|same port\nrestricted cone|comes in|comes in|-|same port\nport restricted cone|comes in|-|-|same port\nsymmetric|comes in|-|-|another port")
    table("1.19", "punch", "full cone|srflx|srflx|srflx|prflx\nrestricted|srflx|srflx|srflx|prflx\nport restricted|srflx|srflx|srflx|-\nsymmetric|srflx|srflx|-|-")
    table("1.20", "punch", "full cone|srflx|srflx|srflx|prflx\nrestricted|srflx|srflx|srflx|prflx\nport restricted|srflx|srflx|srflx|relay\nsymmetric|srflx|srflx|relay|relay")
    table("1.21", "relay", "direct: port restricted, twice|#2 ms|# of #3|#6 bytes\nrelayed: symmetric, twice|#1 ms|#3 of #3|#5 bytes")
    table("1.23", "signal", "two files in a folder|chat\ntwo pipes|chat\ncopy and paste|chat")
    table("1.24", "direct", "direct|* #1 ms\nover a near server|* #2 ms\nover a far server|* #3 ms")
    table("1.26", "idle", "was silent|another port\nhas sent every 100 ms|the same port")
    check_ends()
}
