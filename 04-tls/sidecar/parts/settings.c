// settings.c: the options of the sidecar; see sidecar.h.
#include <stdio.h>
#include <stdlib.h>

#include "certificates.h"
#include "log.h"
#include "mesh_ca.h"
#include "options.h"
#include "sidecar.h"

#define PORT_STEP 10 // between the three ports, if only the first one is given
#define NOT_GIVEN (-1)

struct settings settings = {
    .host = "127.0.0.1",
    .port = 8104,
    .inbound_host = "127.0.0.1",
    .inbound_port = NOT_GIVEN,
    .admin_port = NOT_GIVEN,
    .app = "127.0.0.1:8134",
    .identity = {.domain = "workbench.test", .name = "hello"},
    .retry = {.tries = 3, .budget_percent = 20, .budget_min = 10, .backoff_ms = 25},
    .breaker = {.failures = 5, .open_ms = 5000},
    .connect_ms = 1000,
    .answer_ms = 15000,
    .timeout_ms = 30000,
    .head_ms = 10000,
    .idle_ms = 60000,
    .keep_ms = 30000,
    .drain_ms = 5000,
    .app_requests = 1000};

struct state state;

static bool quiet;

static void allow(const char *name)
{
    if (!service_name_is_good(name))
        options_reject("--allow takes the name of a service, not '%s'", name);
    if (settings.allowed_count == ALLOWED_MAX)
        options_reject("at most %d --allow", ALLOWED_MAX);
    snprintf(settings.allowed[settings.allowed_count++], LINK_PEER, "spiffe://%.50s/%s",
             settings.identity.domain, name);
}

static const struct option_spec options[] = {
    {"host", OPTION_TEXT, &settings.host, .help = "address for the app, and for --admin-port"},
    {"port", OPTION_INT, &settings.port, 0, 65535, "TCP port for the app; 0: any free one"},
    {"inbound-host", OPTION_TEXT, &settings.inbound_host, .help = "address for other sidecars"},
    {"inbound-port", OPTION_INT, &settings.inbound_port, 0, 65535,
     "their port; not given: port + 10"},
    {"admin-port", OPTION_INT, &settings.admin_port, 0, 65535,
     "/metrics; not given: port + 20"},
    {"app", OPTION_TEXT, &settings.app, .help = "ADDRESS:PORT of the app"},
    {"name", OPTION_TEXT, &settings.identity.name, .help = "of the service that the app is"},
    {"services", OPTION_TEXT, &settings.services, .help = "FILE with the services"},
    {"allow", OPTION_CALL, &(option_call){allow},
     .help = "NAME of a service that may ask; none: all"},
    {"keys", OPTION_TEXT, &settings.identity.folder, .help = "folder of the certificates"},
    {"rate", OPTION_INT, &settings.rate, 0, 1000000,
     "requests a second of each identity; 0: any"},
    {"burst", OPTION_INT, &settings.burst, 0, 1000000, "at once; 0: as many as a second's"},
    {"tries", OPTION_INT, &settings.retry.tries, 1, 10, "of a request, at most"},
    {"budget", OPTION_INT, &settings.retry.budget_percent, 0, 100,
     "retries, in percent of the requests"},
    {"backoff-ms", OPTION_INT, &settings.retry.backoff_ms, 0, 1000,
     "ms until the second try, at most; doubles"},
    {"breaker", OPTION_INT, &settings.breaker.failures, 0, 1000,
     "failures in a row that open it; 0: none"},
    {"open-ms", OPTION_INT, &settings.breaker.open_ms, 1, 3600000, "ms that it stays open"},
    {"connect-ms", OPTION_INT, &settings.connect_ms, 1, 60000, "ms for a new connection"},
    {"answer-ms", OPTION_INT, &settings.answer_ms, 1, 3600000, "ms until an answer begins"},
    {"timeout-ms", OPTION_INT, &settings.timeout_ms, 1, 3600000, "ms for all tries together"},
    {"head-ms", OPTION_INT, &settings.head_ms, 1, 3600000, "ms for a request's head"},
    {"keep-ms", OPTION_INT, &settings.keep_ms, 1, 3600000, "ms that a connection waits"},
    {"drain-ms", OPTION_INT, &settings.drain_ms, 0, 3600000, "ms for the end, at most"},
    {"stop-after-app", OPTION_FLAG, &settings.stop_after_app,
     .help = "asked to stop, let the app end first"},
    {"redirected", OPTION_FLAG, &settings.redirected,
     .help = "a rule sends the app's connections here"},
    {"access-log", OPTION_TEXT, &settings.access_log, .help = "FILE: a line for each request"},
    {"quiet", OPTION_FLAG, &quiet, .help = "no lines about what happens"},
    {0}};

void settings_parse(int argc, char **argv)
{
    struct command command = {"", "Lesson 04: a proxy beside an app, for both directions.",
                              options};
    settings.identity.folder = certificate_folder(MESH_CA_FOLDER);
    options_parse(argc, argv, &command);
    const char *name = settings.identity.name;
    if (!service_name_is_good(name))
        options_reject("--name takes letters a-z, digits and '-', not '%s'", name);
    if (!service_address_read(settings.app, &state.app.address))
        options_reject("--app takes an ADDRESS:PORT in digits, not '%s'", settings.app);
    if (settings.burst == 0)
        settings.burst = settings.rate;
    if (settings.inbound_port == NOT_GIVEN && settings.port)
        settings.inbound_port = (settings.port + PORT_STEP) % 65536;
    if (settings.admin_port == NOT_GIVEN && settings.port)
        settings.admin_port = (settings.port + 2 * PORT_STEP) % 65536;
    if (settings.inbound_port == NOT_GIVEN)
        settings.inbound_port = 0;
    if (settings.admin_port == NOT_GIVEN)
        settings.admin_port = 0;
    net_name(&state.app.address, state.app.name);
    log_begin(quiet);
}
