# printed.awk: see common/test/printed.awk.
scene == "algorithms" && /^  [a-z-]+ .* ms/ && columns >= 6 { rows++; if (figure[5] > figure[6]) wrong = wrong "\n" $0 }
END {
    check("8.20", "no median is longer than its p99", rows == 24, !wrong, wrong)
    table("8.13", "layers", "packets rewritten|2|#1|#1|*|#")
    table("8.34", "layers", "--layer 4|2|#2|#3|*|#")
    table("8.25", "layers", "packets rewritten|2|#|#|*|#1\n--layer 4|2|#|#|*|#1\n--layer 7|2|#|#|*|*|#2")
    table("8.14", "route", "shop.example/|a|*\nshop.example/news?page=2|a|*\nshop.example/api/users|b|*\nshop.example/api/orders|b|*\nshop.example/apis|a|*\napi.example/|c|*\napi.example/api/users|c|*")
    table("8.33", "route", "layer 4, one connection|#2|#3|#4\nlayer 4, a connection for each|#6|#7|#8")
    table("8.15", "price", "connections are kept|#1 us|#3 us\na connection for each|#5 us|#6 us")
    table("8.19", "sticky", "address-hash, an address each|#|#|#|#1\naddress-hash, all behind one NAT|#3|#4|#5|0")
    table("8.40", "sticky", "address-hash, they change networks|#|#|#|#1")
    table("8.38", "sticky", "cookie, two balancers in turn|#|#|#|#1")
    table("8.23", "sticky", "cookie, all behind one NAT|#|#|#|#1")
    table("8.23", "sticky", "cookie, and b has died|#|0|#|#3")
    table("8.24", "failover", "no checks|#1|#5|# ms\npassive: 3 failures in a row|#2|#6|# ms\nactive: each 5 ms, 2 failures|#3|#7|# ms\npassive, and a second try|#4|#8|# ms")
    table("8.39", "failover", "GET: repeated elsewhere|0|#2\nPOST: not repeated|#4|#5")
    table("8.30", "versions", "a is killed, b has weight 0|#|#|#5\nblue-green: b gets 1, a gets 0, then a is stopped|#|#|#1\ncanary: weights 95 and 5|#|#3|0")
    table("8.36", "websocket", "round-robin|#1, #2, #3|#, #, #")
    table("8.16", "websocket", "round-robin|#, #, #|#1, #2, #3")
    table("8.17", "websocket", "least-connections|#, #, #|#1, #2, #3")
    table("8.32", "two", "one address|0 of #2|# ms|*\nboth addresses (active-active)|#1 of #2|# ms|*\nan address that moves (active-passive)|#3 of #2|# ms|*")
    check_ends()
}
