# printed.awk: see common/test/printed.awk.
scene == "methods" && /^  [A-Z]+ +20[0-9]/ { methods++; same[cell[1]] = cell[5] == "the same" && cell[3] == cell[4] || cell[5] == "another" && cell[3] != cell[4]; if (!same[cell[1]]) wrong_method = wrong_method "\n" $0 }
scene == "race" && columns == 6 && cell[1] ~ /^\// { ways++; if (figure[2] + figure[3] + figure[4] < 20 || figure[5] != 20 || figure[6] != figure[2]) wrong_race = wrong_race "\n" $0 }
scene == "backoff" && columns == 4 && cell[4] ~ / %$/ { requests[cell[1]] = figure[2]; share[cell[1]] = figure[4]; paid += figure[3]; crowds++ }
scene == "circuit_breaker" && cell[1] == "without" { without = figure[4] }
scene == "circuit_breaker" && cell[1] == "with a breaker" { vain = figure[4]; through = figure[3]; opened = figure[5]; probes = figure[6] }
scene == "ulid_vs_uuid" && cell[1] ~ /after [0-9]+$/ { uuid = figure[2]; ulid = figure[3] }
cell[1] == "all pages in the end" { uuid_all = figure[2]; ulid_all = figure[3] }
cell[1] == "filled" { uuid_full = figure[2]; ulid_full = figure[3] }
END {
    check("10.4", "the same state, or another", methods, !wrong_method, wrong_method)
    check("10.10", "as many charges as answers that made one", ways, !wrong_race, wrong_race)
    numbers(measured["10.7"])
    check("10.7", "the claim has the table's requests", crowds && number[5], number[1] == requests["at once"] && number[2] == requests["back-off"] && number[3] == requests["with jitter"] &&
          number[4] == share["back-off"] && number[5] == share["with jitter"], measured["10.7"])
    check("10.7", "all have paid", crowds, paid == 100 * crowds, paid)
    numbers(measured["10.8"])
    check("10.8", "the claim has the table's calls", without && number[5], number[1] == vain && number[2] == without && number[5] == through && opened > number[4] && probes == opened,
          measured["10.8"] ", opened " opened ", probes " probes)
    numbers(measured["10.5"])
    check("10.5", "the claim has the table's pages", ulid && number[5], number[1] == ulid && number[4] == uuid && number[5] == ulid_all && number[6] == uuid_all, measured["10.5"])
    check("10.5", "fewer pages are fuller ones", uuid_all, near(uuid_all * uuid_full, ulid_all * ulid_full, 0.02 * ulid_all * ulid_full), uuid_full " " ulid_full)
    check_ends()
}
