# printed.awk: see common/test/printed.awk.
/^ +[0-9.]+ ms / { ms = cell[1] + 0 }
scene == "handshake" && /├── SYN / && !syn { syn = ms + 1 } # + 1: also 0.0 ms counts as seen
scene == "handshake" && /◀.* SYN ACK/ && !syn_ack { syn_ack = ms + 1 }
scene == "handshake" && /├── ACK 1 / && !ack { ack = ms + 1 }
scene == "handshake" && /connect\(\) returned after/ { match($0, /after [0-9.]+/); took = substr($0, RSTART + 6, RLENGTH - 6) + 0; handshake_rtt = rtt }
scene == "handshake" && /The same, but the server/ { by_halves = 1 }
scene == "handshake" && !by_halves && /├── |◀─/ && !/UDP/ { drawn_tcp++ }
scene == "handshake" && /TIME_WAIT: [0-9.]+ s to go/ { match($0, /TIME_WAIT: [0-9.]+/); to_go = substr($0, RSTART + 11, RLENGTH - 11) + 0 }
scene == "segments" && /├── SYN  mss/ { match($0, /mss [0-9]+/); drawn_mss = substr($0, RSTART + 4, RLENGTH - 4) + 0 }
scene == "segments" && /├── [0-9]+ bytes/ { match($0, /── [0-9]+ bytes/); numbers(substr($0, RSTART, RLENGTH)); if (number[1] > drawn) drawn = number[1] }
cell[1] == "IP packet (MTU)" { mtu = figure[2] }
cell[1] == "- IP header 20, TCP header 20" { without = figure[2] }
cell[1] == "= MSS, in the SYN" { mss = figure[2]; clamped_mss = figure[3] }
cell[1] == "- timestamps option" { option = figure[2]; clamped_option = figure[3] }
cell[1] == "= data in a full segment" { data = figure[2]; clamped = figure[3] }
cell[1] == "out: tcp_wmem, SO_SNDBUF" { out = figure[3] " " figure[4] }
scene == "damage" && cell[1] == "segments sent again" { again = figure[2] }
scene == "slow_start" && / a window of [0-9]+ segments/ { transfer++ }
scene == "slow_start" && cell[1] ~ /^round trip / { if (!sent_in[transfer]) at_once[transfer] = figure[2]; sent_in[transfer] += figure[2]; rounds[transfer]++ }
scene == "descriptors" && cell[1] == "connect() has succeeded" { connected = figure[2] }
scene == "descriptors" && cell[1] == "accepted, and answered" { answered = figure[2] }
scene == "descriptors" && cell[1] == "answered when those had closed" { answered_later = figure[2] }
scene == "damage" && columns == 3 { by_udp[cell[1]] = figure[2]; by_tcp[cell[1]] = figure[3] }
END {
    numbers(measured["1.43"])
    check("1.43", "damaged datagrams and those that came are all", "messages that came" in by_udp, number[2] == number[1] + number[3] &&
          by_udp["messages that came"] == number[3] && by_udp["packets that were damaged"] == number[1], measured["1.43"])
    numbers(measured["1.41"])
    check("1.41", "the claim has the table's segments and messages", again, number[1] == by_tcp["packets that were damaged"] && number[2] == again && number[3] == by_tcp["messages that came"], measured["1.41"] ", " again)
    numbers(measured["1.39"])
    check("1.39", "the bars of a transfer are all its segments", rounds[1], number[1] == at_once[1] && number[2] == sent_in[1] && number[3] == rounds[1] && number[4] == at_once[2], measured["1.39"] ", " at_once[1] " " sent_in[1] " " rounds[1])
    numbers(measured["1.48"])
    check("1.48", "the claim has the table's clients", connected, answered == number[3] && connected - answered == number[4] && answered_later == number[4], measured["1.48"] ", " connected " " answered " " answered_later)
    numbers(measured["1.42"])
    check("1.42", "the claim has the table's late messages", number[2], number[1] == by_udp["messages behind a later one"] && number[2] == by_tcp["packets that were late"], measured["1.42"])
    check("1.1", "the SYN needs half a round trip, its answer as much", syn && handshake_rtt,
          syn_ack - syn >= handshake_rtt / 2 - 1 &&
          ack - syn_ack >= handshake_rtt / 2 - 1, syn " " syn_ack " " ack)
    numbers(measured["1.1"])
    check("1.1", "connect() took what the timeline shows", took && number[1], number[1] == took && number[2] == handshake_rtt, took " " measured["1.1"])
    numbers(measured["1.51"])
    check("1.51", "the claim has as many TCP packets as the timeline", drawn_tcp && number[3], number[3] == drawn_tcp, drawn_tcp " " measured["1.51"])
    numbers(measured["1.49"])
    check("1.49", "the claim has the timeline's TIME_WAIT", to_go && number[1], number[1] == to_go, to_go " " measured["1.49"])
    check("1.6", "what one packet carries", mtu && data && drawn, without == mtu - 40 && mss - option == data && mss == drawn_mss &&
          data == drawn && clamped_mss - clamped_option == clamped, mtu " " mss " " option " " data " drawn " drawn_mss " " drawn)
    numbers(measured["1.6"])
    check("1.6", "the claim has the table's sizes", data && number[1], number[1] == mss && number[2] == data && number[3] == clamped_mss && number[4] == clamped, measured["1.6"])
    numbers(measured["1.8"])
    check("1.8", "datagrams: sent = received + dropped", number[1], number[1] == number[2] + number[3], measured["1.8"])
    numbers(measured["1.10"])
    check("1.10", "the buffers of the table and the claim", out && number[4], out == number[3] " " number[4], out)
    table("1.52", "descriptors", "answered|#1|#4\ndescriptors more for them|#3|#6")
    check_ends()
}
