# printed.awk: see common/test/printed.awk.
scene == "reuse" && cell[1] == "a connection per query" { fresh = figure[2] }
scene == "reuse" && cell[1] == "from the pool" { pooled = figure[2]; reuse_rtt = rtt }
scene == "nplus1" && columns == 4 && / ms$/ { ms[cell[1]] = figure[4]; queries[cell[1]] = figure[2] }
scene == "nplus1" && columns == 2 && (cell[1] in ms) { bars++; if (!near(figure[2], ms[cell[1]], 0.6)) wrong_bar = wrong_bar "\n" $0 }
scene == "burst" && cell[1] == "served" { served = figure[2] }
scene == "burst" && cell[1] == "timed out" { timed_out = figure[2] }
scene == "burst" && / threads, .* connections/ { numbers($0); threads = number[1] }
scene == "ports" && cell[1] == "a pool of 4, 8 threads" { pool_queries = figure[2]; ports = figure[3] }
scene == "held" && columns == 3 && cell[1] ~ / the call$/ { held[cell[1]] = figure[2]; half[cell[1]] = figure[3] }
scene == "stale" && columns >= 3 && cell[2] ~ /^[0-9]+$/ { errors[cell[1]] = figure[2]; questions[cell[1]] = figure[3] }
END {
    numbers(measured["8.6"])
    check("8.6", "the claim has the table's errors and questions", "no validation" in errors, number[1] == errors["no validation"] && number[2] == errors["a ping before each use"] &&
          number[3] == questions["a ping, if it was idle"] && number[4] == questions["a ping before each use"], measured["8.6"])
    numbers(measured["8.55"])
    check("8.55", "the claim has the table's milliseconds, and half wait as long as a call", "after the call" in held, number[2] == held["after the call"] && number[3] == held["before the call"] &&
          half["after the call"] > 100 && half["after the call"] <= 2 * held["after the call"], measured["8.55"] ", " half["after the call"])
    numbers(measured["8.1"])
    check("8.1", "the claim has the bars' milliseconds", fresh && number[2], number[1] == fresh && number[2] == pooled && number[3] == reuse_rtt, measured["8.1"])
    check("8.1", "no answer comes before a round trip is over", pooled, pooled >= reuse_rtt && fresh >= 2 * reuse_rtt, pooled " " fresh " " reuse_rtt)
    numbers(measured["8.8"])
    check("8.8", "the claim has the table's queries", bars && number[4], number[1] == queries["one query for each user"] && number[3] == queries["one for all of them"] &&
          near(number[2], ms["one query for each user"], 0.6) && near(number[4], ms["one for all of them"], 0.6), measured["8.8"])
    check("8.8", "the bars show the table's milliseconds", bars, !wrong_bar, wrong_bar)
    numbers(measured["8.10"])
    check("8.10", "served and timed out are all threads", threads && number[2], served + timed_out == threads && number[1] == served && number[2] == timed_out, served " " timed_out)
    numbers(measured["8.4"])
    check("8.4", "the pool's queries and ports", ports && number[1], number[3] == pool_queries && number[4] == ports, measured["8.4"])
    check_ends()
}
