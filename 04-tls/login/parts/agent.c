// agent.c: see agent.h.
#include "agent.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "net.h"

#define REQUEST_BYTES 4096

// Where show() puts the head of the answer that is being read. There is one at a time.
static struct agent *reading;

// The first part of an answer that is shown is its head.
static void keep_head(const char *bytes, size_t length)
{
    if (*reading->head)
        return;
    if (length >= sizeof reading->head)
        die("an answer's head has %zu bytes", length);
    memcpy(reading->head, bytes, length);
    reading->head[length] = '\0';
}

static void connect_agent(struct agent *agent)
{
    if (agent->up)
        return;
    struct connect_settings settings = ask_settings();
    connect_to(agent->host, agent->port);
    agent->up = connection_open(&settings);
    if (!agent->up->up)
        die("no TLS with %s, port %d: %s", agent->host, agent->port, agent->up->why);
}

static void take_head(struct agent *agent, struct http_head *head)
{
    if (http_read_response(agent->head, strlen(agent->head), head) != 1)
        die("the answer's head cannot be read");
    for (size_t i = 0; i < head->field_count && !agent->keeps_nothing; i++) {
        const char *why = NULL;
        if (http_is_token(head->fields[i].name, "set-cookie"))
            why = jar_set_cookie(&agent->jar, head->fields[i].value, true, time(NULL));
        if (why)
            fprintf(stderr, "a cookie is refused: %s\n", why);
    }
}

int agent_ask(struct agent *agent, const char *method, const char *path, const char *content)
{
    char text[REQUEST_BYTES];
    struct http_out out = {text, sizeof text, 0, false};
    struct http_head head;
    char host[HTTP_HOST_BYTES];
    connect_agent(agent);
    http_put_text(&out, method);
    http_put_text(&out, " ");
    http_put_text(&out, path);
    http_put_text(&out, " HTTP/1.1\r\n");
    http_put_field(&out, "Host", http_authority(WORKBENCH, agent->port, 443, host));
    jar_write_fields(&agent->jar, true, time(NULL), &out);
    if (agent->fields)
        http_put_text(&out, agent->fields);
    if (content) {
        http_put_field(&out, "Content-Type", "application/json");
        http_put_length(&out, strlen(content));
    }
    http_put_text(&out, "\r\n");
    if (content)
        http_put_text(&out, content);
    if (out.overflow)
        die("a request of more than %d bytes", REQUEST_BYTES);
    agent->request_bytes = out.length;
    reading = agent;
    agent->head[0] = '\0';
    agent->reply = (struct reply){.show = keep_head};
    if (!connection_send(agent->up, text, out.length) || !ask_read(agent->up, &agent->reply))
        die("%s %s: no whole answer: %s", method, path, agent->up->why);
    OPENSSL_cleanse(text, sizeof text);
    take_head(agent, &head);
    if (!agent->keeps_nothing)
        jar_take_tokens(&agent->jar, agent->reply.content);
    if (!head.keep_alive)
        agent_close(agent);
    return agent->reply.status;
}

int agent_log_in(struct agent *agent, const char *user, const char *password)
{
    char content[700];
    if (strpbrk(user, "\"\\") || strpbrk(password, "\"\\") ||
        strlen(user) + strlen(password) > 300)
        die("this client sends no user and password with '\"' or '\\', and none that long");
    snprintf(content, sizeof content, "{\"user\":\"%s\",\"password\":\"%s\"}", user, password);
    int status = agent_ask(agent, "POST", "/login", content);
    OPENSSL_cleanse(content, sizeof content);
    return status;
}

void agent_close(struct agent *agent)
{
    if (agent->up)
        connection_close(agent->up);
    agent->up = NULL;
}

const char *agent_field(const struct agent *agent, const char *name)
{
    static char text[512];
    struct http_head head;
    text[0] = '\0';
    if (http_read_response(agent->head, strlen(agent->head), &head) == 1) {
        struct http_text value = http_field(&head, name);
        snprintf(text, sizeof text, "%.*s", (int)value.length, value.at ? value.at : "");
    }
    return text;
}
