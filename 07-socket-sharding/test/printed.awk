# printed.awk: see common/test/printed.awk.
scene == "spread" && cell[1] == "worker 1" { way++ }
scene == "spread" && cell[1] ~ /^worker [0-9]$/ {
    share[way] += figure[2]
    if (way == 1 && (!least || figure[2] < least))
        least = figure[2]
    if (way == 1 && figure[2] > most)
        most = figure[2]
}
scene == "order" && line ~ /^[1-9]( [1-9])+$/ { for (i = split(line, one, " "); i; i--) drawn[one[i]]++ }
scene == "order" && cell[1] ~ /^worker [0-9]$/ && columns == 2 {
    orders++
    numbers(cell[1])
    if (figure[2] < drawn[number[1]] + 0)
        wrong_order = wrong_order "\n" $0 ", drawn " drawn[number[1]] + 0
    delete drawn[number[1]]
}
scene == "herd" && columns == 2 { sleeps[cell[1]] = figure[2] }
scene == "stuck" && / answered$| wait in its queue$/ { stuck++; clients[int((stuck - 1) / 4)] += figure[2]; if (/ wait in/) waits = figure[2] }
scene == "stuck" && / clients, .* workers/ { numbers($0); all = number[1] }
scene == "sticky" && cell[1] == "from another address" { asked = length(cell[2]); others = gsub(/[.]/, "", cell[2]) }
cell[1] ~ /^0$|as this kernel starts$|no such setting/ && scene == "syn_retries" { t[++seconds] = figure[2]; t[++seconds] = figure[3] }
scene == "takeover" && columns == 5 && cell[5] ~ / of / { takeovers++; of_way[takeovers] = figure[2] " " figure[3] " " figure[4] " " figure[5] }
END {
    numbers(measured["7.10"])
    split(of_way[1], with_sockets, " ")
    split(of_way[2], drained, " ")
    split(of_way[3], killed, " ")
    check("7.10", "the claim has the table's clients", takeovers == 3, number[1] == with_sockets[2] + with_sockets[3] && number[2] == with_sockets[1] + number[1] &&
          number[3] == drained[3] && number[4] == killed[2] && number[5] == killed[3], measured["7.10"] ", " of_way[1] ", " of_way[2] ", " of_way[3])
    check("7.2", "the shares of each way are the whole", share[4], near(share[1], 100, 0.3) && near(share[2], 100, 0.3) && near(share[3], 100, 0.3) && near(share[4], 100, 0.3),
          share[1] " " share[2] " " share[3] " " share[4])
    numbers(measured["7.2"])
    check("7.2", "the claim has the smallest and the largest share", least && number[1], number[1] == least && number[2] == most, measured["7.2"])
    check("7.3", "each worker's bar counts at least its numbers in the row above", orders, !wrong_order, wrong_order)
    numbers(measured["7.4"])
    check("7.4", "the claim has the bars' wake-ups", number[3] && sleeps["shared, epoll"], number[1] == sleeps["shared, accept()"] && number[3] == sleeps["shared, epoll"], measured["7.4"])
    numbers(measured["7.8"])
    check("7.8", "answered and waiting are all clients", all && stuck, clients[0] == all && clients[1] == all && waits == number[1], clients[0] " " clients[1] " " waits)
    numbers(measured["7.11"])
    check("7.11", "a dot for each client with the same worker", asked && number[3], asked == number[2] && others == number[4] - number[3], others " " measured["7.11"])
    numbers(measured["7.13"])
    from = seconds == 4 # the claim then begins with the setting
    check("7.13", "the claim has the table's seconds", seconds, t[1] == number[1 + from] && t[2] == number[2 + from] && t[seconds] == number[seconds + from], measured["7.13"])
    check_ends()
}
