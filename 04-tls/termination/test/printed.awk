# printed.awk: see common/test/printed.awk.
END {
    table("4.47", "offload", "the server does TLS itself|#2 us|-|#2 us\nTLS ends in the proxy|#1 us|# us|#3 us")
    check_ends()
}
