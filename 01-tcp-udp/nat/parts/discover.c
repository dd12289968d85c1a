// discover.c: see discover.h.
#include "discover.h"

#include <errno.h>
#include <poll.h>

#include "datagram.h"
#include "net.h"

// A question that is on its way.
struct question {
    int fd;
    struct sockaddr_storage to;
    uint32_t change; // CHANGE_PORT, CHANGE_ADDRESS
    uint8_t transaction[STUN_TRANSACTION];
    bool answered;
    int error;
    struct sockaddr_storage mapped, other;
    bool has_other;
};

static void send_question(const struct question *question)
{
    uint8_t bytes[STUN_HEADER + 40];
    struct stun_writer writer;
    stun_begin(&writer, bytes, sizeof bytes, STUN_REQUEST, STUN_BINDING, question->transaction);
    if (question->change)
        stun_add_u32(&writer, CHANGE_REQUEST, question->change);
    stun_add_fingerprint(&writer);
    datagram_send(question->fd, bytes, writer.length, &question->to);
}

static void take_answer(struct question *question)
{
    uint8_t bytes[STUN_MAX];
    struct stun_message message;
    ssize_t length = recv(question->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (length < 0 && errno != EAGAIN)
        question->error = errno;
    if (length < 0 || stun_read(bytes, (size_t)length, &message) ||
        !stun_is_transaction(&message, question->transaction))
        return;
    if (message.class == STUN_ERROR)
        question->error = stun_error_code(&message);
    else if (message.class == STUN_SUCCESS)
        question->answered = stun_find_address(&message, XOR_MAPPED_ADDRESS, &question->mapped);
    question->has_other = stun_find_address(&message, OTHER_ADDRESS, &question->other);
}

static bool is_over(const struct question questions[], int count)
{
    for (int i = 0; i < count; i++)
        if (!questions[i].answered && !questions[i].error)
            return false;
    return true;
}

// Asks the questions at once, each from a socket of its own, until all are answered or all
// tries are used up.
static void ask(struct question questions[], int count, int wait_ms, int tries)
{
    struct pollfd polls[DISCOVER_SOCKETS];
    for (int i = 0; i < count; i++)
        stun_new_transaction(questions[i].transaction);
    for (int try = 0; try < tries && !is_over(questions, count); try++) {
        int64_t end_ns = now_ns() + ((int64_t)wait_ms << try) * 1000000;
        for (int i = 0; i < count; i++) {
            polls[i] = (struct pollfd){questions[i].fd, POLLIN, 0};
            if (!questions[i].answered && !questions[i].error)
                send_question(&questions[i]);
        }
        for (int64_t now; !is_over(questions, count) && (now = now_ns()) < end_ns;) {
            poll(polls, (nfds_t)count, (int)((end_ns - now) / 1000000) + 1);
            for (int i = 0; i < count; i++)
                if (polls[i].revents)
                    take_answer(&questions[i]);
        }
    }
}

// Asks the server's other address. The same mapped address as before: the mapping does not
// depend on whom we talk to. Else the other port of that address tells how far it does.
static void find_mapping(struct discovery *found, int fd, const struct sockaddr_storage *server,
                         int wait_ms, int tries)
{
    struct question host = {.fd = fd, .to = found->other}, both = host;
    address_set_port(&host.to, address_port(server));
    ask(&host, 1, wait_ms, tries);
    ask(&both, 1, wait_ms, tries);
    if (!host.answered || !both.answered)
        return;
    if (address_is(&host.mapped, &found->mapped))
        found->mapping = ENDPOINT_INDEPENDENT;
    else if (address_is(&host.mapped, &both.mapped))
        found->mapping = ADDRESS_DEPENDENT;
    else
        found->mapping = ADDRESS_AND_PORT_DEPENDENT;
}

// Two sockets that have sent to one address only ask for an answer from another one.
static void find_filtering(struct discovery *found, const int fds[2],
                           const struct sockaddr_storage *server, int wait_ms, int tries)
{
    struct question questions[2] = {
        {.fd = fds[0], .to = *server, .change = CHANGE_PORT},
        {.fd = fds[1], .to = *server, .change = CHANGE_PORT | CHANGE_ADDRESS}};
    ask(questions, 2, wait_ms, tries);
    found->port_came = questions[0].answered;
    found->host_came = questions[1].answered;
    found->filtering = ADDRESS_AND_PORT_DEPENDENT;
    if (questions[1].answered)
        found->filtering = ENDPOINT_INDEPENDENT;
    else if (questions[0].answered)
        found->filtering = ADDRESS_DEPENDENT;
    if (questions[0].error || questions[1].error)
        found->filtering = NOT_KNOWN;
}

struct discovery discover_mapped(int fd, const struct sockaddr_storage *server, int wait_ms,
                                 int tries)
{
    struct discovery found = {.local = address_of_socket(fd)};
    struct question first = {.fd = fd, .to = *server};
    ask(&first, 1, wait_ms, tries);
    found.answered = first.answered;
    found.error = first.error;
    found.mapped = first.mapped;
    found.other = first.other;
    found.has_other = first.has_other;
    return found;
}

struct discovery discover(const int fds[DISCOVER_SOCKETS],
                          const struct sockaddr_storage *server, int wait_ms, int tries)
{
    struct discovery found = discover_mapped(fds[0], server, wait_ms, tries);
    if (!found.answered || !found.has_other)
        return found;
    find_mapping(&found, fds[0], server, wait_ms, tries);
    find_filtering(&found, fds + 1, server, wait_ms, tries);
    return found;
}

const char *behaviour_name(enum behaviour behaviour)
{
    static const char *const names[] = {"not known", "endpoint-independent",
                                        "address-dependent", "address and port-dependent"};
    return names[behaviour];
}

const char *nat_kind(const struct discovery *found)
{
    if (found->mapping == NOT_KNOWN || found->filtering == NOT_KNOWN)
        return "?";
    if (found->mapping != ENDPOINT_INDEPENDENT)
        return "symmetric";
    if (found->filtering == ENDPOINT_INDEPENDENT)
        return "full cone";
    if (found->filtering == ADDRESS_DEPENDENT)
        return "restricted cone";
    return "port restricted cone";
}
