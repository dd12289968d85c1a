// test_ice.h: tests of candidates, descriptions and agents, without a server: the agents talk
// over the loopback interface.
#ifndef TEST_ICE_H
#define TEST_ICE_H

#include "cast.h"
#include "rules.h"
#include "test_server.h"

TEST(priorities_of_rfc_8445)
{
    CHECK_INT(candidate_priority(HOST, 0), 2130706431);
    CHECK_INT(candidate_priority(PEER_REFLEXIVE, 0), 1862270975);
    CHECK_INT(candidate_priority(SERVER_REFLEXIVE, 0), 1694498815);
    CHECK_INT(candidate_priority(RELAYED, 0), 16777215);
    CHECK_INT(candidate_priority(HOST, 1), 2130706175);
    CHECK(candidate_pair_priority(2, 1) == (UINT64_C(1) << 32) + 5);
    CHECK(candidate_pair_priority(1, 2) == (UINT64_C(1) << 32) + 4);
    CHECK(candidate_pair_priority(7, 7) == (UINT64_C(7) << 32) + 14);
}

TEST(candidates_that_are_of_no_use)
{
    static const char *const cases[][2] = {
        {"1 1 udp 2130706431 192.168.1.1 4000 typ host", ""},
        {"1 1 UDP 1694498815 10.0.0.1 4000 typ srflx raddr 192.168.1.1 rport 4000", ""},
        {"4 1 udp 2130706431 2001:db8::1 4000 typ host generation 0 ufrag abcd", ""},
        {"1 1 tcp 2130706431 192.168.1.1 9 typ host tcptype active", "it is not about UDP"},
        {"1 2 udp 2130706431 192.168.1.1 4000 typ host", "it is not about the first component"},
        {"1 1 udp 2130706431 6b0e1c2a.local 4000 typ host", "its address is a name"},
        {"1 1 udp 2130706431 192.168.1.1 70000 typ host",
         "its priority or its port is out of range"},
        {"1 1 udp 0 192.168.1.1 4000 typ host", "its priority or its port is out of range"},
        {"1 1 udp 1 192.168.1.1 4000 typ best", "its type is not known"},
        {"1 1 udp", "it is malformed"},
        {"", "it is malformed"},
    };
    struct candidate candidate;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *why = candidate_read(cases[i][0], &candidate);
        CHECK_TEXT(why ? why : "", cases[i][1]);
    }
}

TEST(descriptions_that_are_malformed)
{
    static const char *const cases[][2] = {
        {"", "it has no ice-ufrag or no ice-pwd"},
        {"a=ice-ufrag:abcd\n", "it has no ice-ufrag or no ice-pwd"},
        {"a=ice-ufrag:abc\n", "its ice-ufrag is malformed"},
        {"a=ice-ufrag:ab:d\n", "its ice-ufrag is malformed"},
        {"a=ice-ufrag:123456789012345678901234567890123\n", "its ice-ufrag is malformed"},
        {"a=ice-pwd:short\n", "its ice-pwd is malformed"},
    };
    struct description description;
    char line[600], text[4000] = "";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_TEXT(description_read(cases[i][0], &description), cases[i][1]);
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\0';
    CHECK_TEXT(description_read(line, &description), "a line of it is too long");
    for (int i = 0; i < 20; i++)
        strcat(text, "a=candidate:1 1 udp 2130706431 192.168.1.1 4000 typ host\n");
    CHECK_TEXT(description_read(text, &description), "it has too many candidates");
}

TEST(mutated_descriptions)
{
    static const char seed[] =
        "v=0\r\na=ice-ufrag:abcd\na=ice-pwd:0123456789012345678901\n"
        "a=candidate:1 1 udp 2130706431 192.168.1.1 4000 typ host\n"
        "a=candidate:5 1 udp 1694498815 10.0.0.1 4000 typ srflx raddr 192.168.1.1 rport 4000\n"
        "a=end-of-candidates\n";
    uint64_t random = 2;
    char text[sizeof seed];
    for (int i = 0; i < 100000 && !test_failures; i++) {
        memcpy(text, seed, sizeof seed);
        for (int k = 0; k < 3; k++)
            text[random_next(&random) % (sizeof seed - 1)] = (char)random_next(&random);
        const char *fault = description_fault(text, strlen(text));
        if (fault)
            FAIL("mutation %d: %s", i, fault);
    }
}

// ---- agents --------------------------------------------------------------------------------

static struct couple pair;
static struct couple *const one_pair[] = {&pair};

static void begin_pair(void)
{
    pair = (struct couple){0};
    pair.agents[0].set = (struct ice_settings){.retry = 50,
                                               .pace = 5,
                                               .settle = 1,
                                               .tries = 5,
                                               .patience = 20000,
                                               .consent = 50,
                                               .expiry = 5000};
    couple_begin(&pair, "", "", NULL);
}

static void other_role(struct ice_agent *agent, bool controlling, uint64_t tie_breaker)
{
    agent->controlling = controlling;
    agent->tie_breaker = tie_breaker;
}

TEST(two_agents_meet)
{
    begin_pair();
    couples_meet(one_pair, 1);
    CHECK(couple_met(&pair));
    CHECK_INT(couple_send(&pair, 20, 1000), 20);
    CHECK(couple_round_trip(&pair, 3) > 0);
    CHECK(!ice_send(&pair.agents[0], sample_request, ICE_DATA_MAX + 1));
    couple_end(&pair);
}

// Both believe that they control, or that they are controlled: the tie-breaker decides.
TEST(role_conflicts)
{
    for (int i = 0; i < 4; i++) {
        begin_pair();
        bool both = i & 1, first_is_larger = i & 2;
        other_role(&pair.agents[0], both, first_is_larger ? 9 : 5);
        other_role(&pair.agents[1], both, 7);
        couples_meet(one_pair, 1);
        CHECK(couple_met(&pair));
        CHECK_INT(pair.agents[0].controlling, first_is_larger);
        CHECK_INT(pair.agents[1].controlling, !first_is_larger);
        CHECK(pair.agents[0].role_conflicts + pair.agents[1].role_conflicts > 0);
        couple_end(&pair);
    }
}

static bool never_done(void)
{
    return false;
}

// Without the passwords there is no path: the checks are refused.
TEST(a_wrong_password)
{
    struct ice_agent *agents[] = {&pair.agents[0], &pair.agents[1]};
    begin_pair();
    pair.agents[0].set.patience = pair.agents[1].set.patience = 300;
    ice_run(agents, 2, never_done, 10, -1);
    struct description first = ice_describe(agents[0]), second = ice_describe(agents[1]);
    first.password[0] ^= 1;
    second.password[0] ^= 1;
    ice_start(agents[1], &first);
    ice_start(agents[0], &second);
    ice_run(agents, 2, never_done, 600, -1);
    CHECK_INT(agents[0]->state, ICE_FAILED);
    CHECK_INT(agents[1]->state, ICE_FAILED);
    CHECK_INT(agents[0]->checks_answered + agents[1]->checks_answered, 0);
    couple_end(&pair);
}

// The offering agent gets checks before it has the answer: it answers them, and remembers.
TEST(checks_before_the_answer)
{
    struct ice_agent *agents[] = {&pair.agents[0], &pair.agents[1]};
    begin_pair();
    ice_run(agents, 2, never_done, 10, -1);
    struct description first = ice_describe(agents[0]), second = ice_describe(agents[1]);
    ice_start(agents[1], &first);
    ice_run(agents, 2, never_done, 100, -1);
    CHECK_AT_LEAST(agents[0]->checks_answered, 1);
    CHECK_AT_LEAST(agents[0]->early_count, 1);
    second.count = 0; // and it learns the other one's address only from them
    ice_start(agents[0], &second);
    CHECK(couple_wait_met(&pair));
    CHECK_INT(agents[0]->theirs.candidates[0].type, PEER_REFLEXIVE);
    couple_end(&pair);
}

// A path that is dead is noticed, and found again when it works again.
TEST(a_path_that_dies)
{
    begin_pair();
    couples_meet(one_pair, 1);
    CHECK(couple_met(&pair));
    pair.agents[0].set.expiry = 200;
    couple_run_one(&pair, 0, 500); // the other one does not answer
    CHECK_AT_LEAST(pair.agents[0].deaths, 1);
    CHECK_INT(pair.agents[0].state, ICE_CHECKING);
    CHECK(couple_wait_met(&pair));
    CHECK_INT(couple_send(&pair, 3, 10), 3);
    couple_end(&pair);
}

// Datagrams of strangers: not signed, signed with another key, garbage. None changes anything.
TEST(strangers)
{
    uint8_t bytes[STUN_MAX], transaction[STUN_TRANSACTION];
    uint64_t random = 3;
    char name[80];
    struct stun_writer writer;
    struct sockaddr_storage stranger, friend;
    begin_pair();
    couples_meet(one_pair, 1);
    struct ice_agent *agent = &pair.agents[1];
    address_read("127.0.0.1", 9, &stranger);
    friend = agent->theirs.candidates[ice_path(agent)->remote].address;
    int pairs = agent->pair_count, selected = agent->selected;
    snprintf(name, sizeof name, "%s:them", agent->mine.ufrag);
    for (int i = 0; i < 20000; i++) {
        stun_new_transaction(transaction);
        stun_begin(&writer, bytes, sizeof bytes, (enum stun_class)(i % 4), STUN_BINDING,
                   transaction);
        stun_add_text(&writer, USERNAME, name);
        stun_add_u32(&writer, PRIORITY, 1);
        if (i % 4 == STUN_ERROR)
            stun_add_error(&writer, 487, "");
        stun_add_u64(&writer, ICE_CONTROLLING, UINT64_MAX);
        stun_add(&writer, USE_CANDIDATE, NULL, 0);
        if (i & 4)
            stun_sign(&writer, "not the password");
        stun_add_fingerprint(&writer);
        size_t length = writer.length;
        if (i & 8)
            mutate(bytes, &length, sizeof bytes, &random);
        ice_take_datagram(agent, 0, bytes, length, i & 16 ? &stranger : &friend);
    }
    CHECK_INT(agent->pair_count, pairs);
    CHECK_INT(agent->selected, selected);
    CHECK(!agent->controlling);
    CHECK_INT(couple_send(&pair, 3, 10), 3);
    couple_end(&pair);
}

#endif
