// remote.c: see remote.h.
#include "remote.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio_ext.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "net.h"
#include "log.h"

static bool open_remote(struct remote *remote)
{
    struct timeval patience = {REMOTE_WAIT_MS / 1000, REMOTE_WAIT_MS % 1000 * 1000};
    struct sockaddr_storage address;
    int on = 1;
    socklen_t length = net_address(remote->host, remote->port, SOCK_STREAM, &address);
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) &&
        !setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) &&
        !setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) &&
        !connect(fd, (struct sockaddr *)&address, length))
        remote->answers = fdopen(fd, "r");
    if (!remote->answers && fd >= 0)
        close(fd);
    return remote->answers;
}

void remote_close(struct remote *remote)
{
    if (remote->answers)
        fclose(remote->answers);
    remote->answers = NULL;
}

static bool send_questions(struct remote *remote, const struct remote_question *questions,
                           int count)
{
    char text[64 * SESSION_LINE];
    size_t length = 0;
    for (int i = 0; i < count; i++) {
        length += (size_t)session_write_request(questions[i].request, text + length);
        text[length++] = '\n';
        if (length + SESSION_LINE > sizeof text || i == count - 1) {
            if (!write_all(fileno(remote->answers), text, length))
                return false;
            length = 0;
        }
    }
    return true;
}

// Reads the answers, which come in the order of the questions. Returns how many came.
static int read_answers(struct remote *remote, const struct remote_question *questions,
                        int count)
{
    char line[SESSION_LINE];
    int answered = 0;
    while (answered < count && fgets(line, sizeof line, remote->answers)) {
        char *end = strchr(line, '\n');
        if (!end) // no answer is so long
            return answered;
        *end = '\0';
        if (!session_read_reply(line, questions[answered].reply))
            return answered;
        answered++;
    }
    return answered;
}

// True if the connection was closed while nobody asked: the store was started anew.
static bool is_stale(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN;
}

void remote_ask(struct remote *remote, const struct remote_question *questions, int count)
{
    int answered = 0;
    if (remote->answers && is_stale(fileno(remote->answers)))
        remote_close(remote);
    if (remote->answers)
        __fpurge(remote->answers); // a line that nobody has asked for answers nothing
    if ((remote->answers || open_remote(remote)) && send_questions(remote, questions, count))
        answered = read_answers(remote, questions, count);
    if (answered == count)
        return;
    log_line("the store does not answer: %s", strerror(errno));
    remote_close(remote);
    for (int i = answered; i < count; i++)
        *questions[i].reply = (struct session_reply){.result = SESSION_FAILED};
}
