# printed.awk: see common/test/printed.awk.
scene == "solutions" && columns == 6 && cell[2] ~ /^[0-9]+, / { calls[cell[1]] = figure[6] }
scene == "pool-or-multiplex" && columns == 6 && figure[6] { ways++; if (figure[4] >= figure[6]) wrong = wrong "\n" $0 }
END {
    check("3.23", "the first answer comes before the last one", ways == 2, !wrong, wrong)
    table("3.17", "one-backend", "HTTP/2, one connection|#1|#2|#3|1\ngRPC, one connection|#|#|#|1\nHTTP/1.1, a connection each|#|#|#|100\nHTTP/1.1, a kept connection|#|#|#|1")
    table("3.31", "solutions", "relay, 1 connection|*|1|1|#3|#\n1. layer 7: ./proxy|*|1|3|#1|#\n2. the client's own list|*|3|3|#2|#\n3. look-aside service|*|3|3|#|#\n4. relay, 3 connections|*|3|3|#|#\nrelay, 4 connections|*|4|4")
    check("3.31", "a call is lost where the backend that had it dies, also behind the proxy", "1. layer 7: ./proxy" in calls, calls["1. layer 7: ./proxy"] > 0, calls["1. layer 7: ./proxy"])
    table("3.23", "pool-or-multiplex", "HTTP/2|#1|#|#|#3|#\nHTTP/1.1, a pool|#2|#|#|#5|#\nHTTP/1.1, a pool of 4|4|#")
    table("3.32", "pool-or-multiplex", "HTTP/1.1, a pool|#1|#4|#|#|#\nHTTP/1.1, a pool of 4|#2|#3")
    check_ends()
}
