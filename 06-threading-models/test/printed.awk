# printed.awk: see common/test/printed.awk.
scene == "load_balance" && / % of the work/ { model = substr(cell[1], 1, index(cell[1], ",") - 1); share[model] += figure[2]; if (figure[2] > most[model]) most[model] = figure[2] }
scene == "race" && columns == 6 && cell[5] ~ /%$/ {
    ways++
    if (figure[2] != figure[3] + figure[4] || !near(figure[5], 100 * figure[4] / figure[2], 0.06))
        wrong = wrong "\n" $0
    if (ways == 1)
        lost = figure[4]
}
scene == "idle" && columns == 6 && cell[4] ~ / KB$/ {
    held++
    if (!near(figure[6], figure[2] * figure[5] / 1024, 1 + figure[2] / 10240))
        wrong_memory = wrong_memory "\n" $0
}
cell[1] == "served at once" { served = figure[2] }
cell[1] == "served after another one" { after = figure[2] }
scene == "queue_full" && cell[1] == "refused" { refused = figure[2]; all = served + after + refused }
scene == "queue_full" && / requests at once, / { numbers($0); asked = number[1] }
scene == "silent" && columns == 4 && / us$/ { if (!few_poll) { few_poll = figure[3]; few_epoll = figure[4] }; many_poll = figure[3]; many_epoll = figure[4] }
scene == "cores" && columns == 5 && cell[1] ~ /^of / { pools++; ran[cell[1]] = figure[2]; pool_waits[cell[1]] = figure[3]; idle_cores[cell[1]] = figure[5]; all_cores[cell[1]] = figure[4] + figure[5] }
scene == "hang_up" && columns == 3 && cell[2] ~ / ms$/ { hung++; if (hung == 1 || figure[2] < least) least = figure[2]; if (figure[3] > most_looking) most_looking = figure[3] }
scene == "talk" && columns == 3 && / us$/ { talked++; threads[talked] = figure[2]; processes[talked] = figure[3] }
scene == "pipelined" && cell[1] == "pool" { one_connection = figure[2]; three_connections = figure[3] }
END {
    numbers(measured["6.7"])
    check("6.7", "the claim has the table's cores", pools, number[2] == ran["of 1"] && number[4] == idle_cores["of 1"] && number[6] == ran["of 8"] && number[7] == pool_waits["of 8"], measured["6.7"])
    check("6.7", "busy and idle cores are all cores", pools, all_cores["of 1"] == 0 || near(all_cores["of 1"], number[3], 0.41 * number[3]), all_cores["of 1"] " of " number[3])
    numbers(measured["6.20"])
    check("6.20", "the claim has the table's microseconds", many_poll, near(number[2], many_poll, 0.6) && number[4] == few_poll && number[5] == many_epoll && number[6] == few_epoll, measured["6.20"])
    check("6.5", "the shares of the workers are the whole", share["pool"], near(share["pool"], 100, 2.1) && near(share["readers"], 100, 2.1), share["readers"] " " share["pool"])
    numbers(measured["6.5"])
    check("6.5", "the claim has the largest share", number[4], number[3] == most["readers"] && number[4] == most["pool"], measured["6.5"])
    check("6.6", "counted and lost are all increments", ways, !wrong, wrong)
    numbers(measured["6.6"])
    check("6.6", "the claim has the lost increments", ways && number[1], number[1] == lost, measured["6.6"])
    check("6.3", "memory in all is that of each, so many times", held, !wrong_memory, wrong_memory)
    check("6.11", "served and refused are all requests", refused, all == asked, served " " after " " refused " of " asked)
    numbers(measured["6.45"])
    check("6.45", "the threads that there may be", number[4], near(number[4], number[3] / number[2], number[4] / 30), measured["6.45"])
    numbers(measured["6.41"])
    check("6.41", "the claim has the least and the most of the table", hung, number[1] == hung && number[2] == least && number[4] == most_looking + 0, measured["6.41"])
    numbers(measured["6.42"])
    check("6.42", "the claim has the pool's times", one_connection, number[2] == one_connection && number[3] == three_connections, measured["6.42"])
    numbers(measured["6.43"])
    check("6.43", "the claim has the table's times", talked, number[2] == threads[1] && number[3] == threads[2] && number[4] == processes[1] && number[5] == processes[2], measured["6.43"])
    table("6.15", "fork_and_locks", "fork(), and go on|still waits after #1 ms\nfork(), then exec()|has ended after #2 ms\npthread_atfork()|has ended after #3 ms\nfork() before threads|has ended after #4 ms")
    check_ends()
}
