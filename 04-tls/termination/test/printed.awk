# printed.awk: see common/test/printed.awk.
scene == "legs" && /^      [|] [A-Z]/ && !record { request += length($0) - 8 + 2 }
scene == "legs" && /^  On the first leg these are / { numbers($0); record = number[1] }
scene == "legs" && /^  On the (first|second) leg/ { leg = $3; passwords[leg] = 0 }
scene == "legs" && /^      [|] .*password=/ && leg { passwords[leg]++ }
END {
    # TLS adds 22 bytes to the request: a head of 5, the type, a tag of 16.
    check("4.48", "the record is as long as the request, and a little more", record, record > request + 2 && record < request + 2 + 60, record " of " request + 2)
    numbers(measured["4.48"])
    check("4.48", "the claim has the passwords that are to be seen", "second" in passwords, number[1] == passwords["first"] && number[2] == passwords["second"], measured["4.48"])
    table("4.47", "offload", "the server does TLS itself|#2 us|-|#2 us\nTLS ends in the proxy|#1 us|# us|#3 us")
    check_ends()
}
