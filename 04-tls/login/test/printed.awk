# printed.awk: see common/test/printed.awk.
scene == "cost" && columns == 2 { us[cell[1]] = figure[2] }
scene == "size" && columns == 2 && / bytes$/ { bytes[cell[1]] = figure[2] }
# The first token of the table is a good one; the next three nobody has signed with a key of the server.
scene == "attacks" && / (TAKEN|refused) +(TAKEN|401: .*)$/ {
    tokens++
    not_taken += / 401: /
    unsigned += tokens > 1 && tokens <= 4 && / TAKEN +401: /
}
END {
    table("4.29", "session", "alice|200\nthe attacker, with his own id|401")
    table("4.31", "tamper", "the token as it was signed|#1\nanother role in the payload|#2\none character of the signature|401")
    table("4.39", "token", "ES256|the public key|200|0|404: no key\nHS256|the secret|200|0|200: a token\nHS256|another secret|401|0")
    table("4.53", "logout", "GET /me, logged in|#1|200|200\nGET /me, logged out|#2|200|200\nGET /me, seconds later|401|401|401\na new token?|-|-|400")
    table("4.37", "logout", "the user, with this token|200\nthe thief, with the same token|400: used twice, the family is revoked\nthe user, with the next one|400: she has to log in again")
    table("4.38", "restart", "a session in memory|200|#3\na session in a file (--store)|200|#2\nthe same, the server was killed|200|200\na token, the server was killed|200|#1")
    table("4.54", "two_servers", "each has its own sessions|#1\nboth ask ./store|#2\nthe store is killed|#3\na token|200")
    table("4.58", "stolen", "is read on the way, https|no\nis read on the way, http|yes\nhttp, and the cookie is Secure|no\nthe thief asks with it: GET /me|200")
    table("4.59", "stolen", "is stolen|#1\n--new-key: the old still checks|#2\nthe old key is gone|#3")
    table("4.57", "cookies", "of another site|403\nof another port of this host|403\nof a page from http://|403\nof a sandboxed frame|403\nanother site, old browser|403\nof a program, no browser|204")
    numbers(measured["4.34"])
    check("4.34", "the claim has the bars' bytes", "token, ES256" in bytes, number[1] == bytes["session id, in a cookie"] && number[2] == bytes["token, HS256"] && number[3] == bytes["token, ES256"] &&
          near(number[4], number[3] / number[1], 0.06), measured["4.34"])
    numbers(measured["4.35"])
    check("4.35", "the claim has the table's microseconds", "token, ES256: ECDSA" in us, near(number[1], us["session: ./store, 5 ms away"], 0.6) && near(number[2], us["token, HS256: HMAC"], 0.06) &&
          near(number[4], us["token, ES256: ECDSA"], 0.6), measured["4.35"])
    numbers(measured["4.51"])
    check("4.51", "the claim has the table's forged tokens", tokens, number[1] == not_taken && number[2] == tokens - 1, measured["4.51"])
    numbers(measured["4.52"])
    check("4.52", "the claim has the table's unsigned tokens", tokens, number[2] == unsigned, measured["4.52"])
    table("4.56", "cost", "session: a table in memory|#1\ntoken, HS256: HMAC|#3\ntoken, ES256: ECDSA|#")
    check_ends()
}
