# printed.awk: see common/test/printed.awk.
scene == "reuse" && cell[1] == "a new connection each" { each_ms = figure[3]; each = figure[4]; reuse_rtt = rtt }
scene == "reuse" && cell[1] == "one connection for all" { one_ms = figure[3]; one = figure[4] }
cell[1] == "1 connection" { one_connection = figure[2] }
cell[1] == "6 connections" { six_connections = figure[2] }
scene == "cache" && cell[1] == "the first time" { first_time = figure[2] }
cell[1] == "heads of requests" { sent = figure[2]; sent_bar = gsub(/█/, "█") }
cell[1] == "of that, always the same" { same = figure[2] }
cell[1] == "heads of responses" { heads = figure[2]; heads_bar = gsub(/█/, "█") }
scene == "overhead" && cell[1] == "content" { content = figure[2] }
scene == "pipeline" && cell[1] == "alone" { alone = figure[2] }
scene == "pipeline" && cell[1] ~ /^behind / { behind = figure[2] }
END {
    numbers(measured["2.2"])
    check("2.2", "the claim has the table's milliseconds", alone && behind, near(number[1], behind, 0.6) && near(number[3], alone, 0.06), measured["2.2"] ", " alone " " behind)
    check("2.1", "round trips are milliseconds through the RTT", each && reuse_rtt, near(each, each_ms / reuse_rtt, 0.06) && near(one, one_ms / reuse_rtt, 0.06),
          each " " each_ms " " one " " one_ms)
    numbers(measured["2.1"])
    check("2.1", "the claim has the table's round trips", each && number[1], number[1] == one && number[2] == each, measured["2.1"])
    numbers(measured["2.6"])
    check("2.6", "six connections: so many times as fast", six_connections && number[5], near(number[5], one_connection / six_connections, 0.1), measured["2.6"])
    numbers(measured["2.10"])
    check("2.10", "bytes of the first answer", first_time && number[6], number[6] == first_time, measured["2.10"] " " first_time)
    numbers(measured["2.11"])
    check("2.11", "bytes of heads and content", sent && number[1], number[1] == sent + heads && number[2] == content && same < sent, measured["2.11"])
    check("2.11", "a bar is as long as its figure", sent_bar && heads, near(heads_bar / sent_bar, heads / sent, 0.05), sent_bar " " heads_bar)
    check_ends()
}
