// test_refuse.h: every handshake that must not come about, by the reason that OpenSSL gives, on
// the side that refuses it. A part of test.c.

TEST(each_bad_certificate_by_its_reason)
{
    static const struct {
        enum certificate which;
        const char *reason, *alert; // what the client says, what the server hears
    } cases[] = {{CERTIFICATE_EXPIRED, "certificate has expired", "certificate expired"},
                 {CERTIFICATE_WRONG_NAME, "hostname mismatch", "bad certificate"},
                 {CERTIFICATE_COMMON_NAME, "hostname mismatch", "bad certificate"},
                 {CERTIFICATE_SELF_SIGNED, "self-signed certificate", "unknown ca"},
                 {CERTIFICATE_UNKNOWN_CA, "unable to get local issuer", "unknown ca"}};
    char log[40];
    pid_t pid;
    int port = start_with_log(&pid, "", log);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *name = certificate_host(cases[i].which);
        for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
            struct probe probe = {.name = name, .version = version};
            CHECK(!probe_open(port, &probe));
            CHECK_HAS(probe_reason, "certificate verify failed: ");
            CHECK_HAS(probe_reason, cases[i].reason);
        }
        CHECK(exchange(port)); // when this is answered, the alert has come
        CHECK_HAS(probe_log(log), cases[i].alert);
    }
    stop_with_log(pid, log);
}

// Connects as described; it must fail, and the server's log must give the reason.
static void refused(int port, const char *log, const struct probe *probe, const char *reason)
{
    SSL *ssl = probe_open(port, probe);
    // A client of 1.3 is done before the server has judged its certificate.
    if (ssl && probe_ask(ssl, GET_FACTS))
        FAIL("not refused: %s", reason);
    probe_close(ssl);
    CHECK_HAS(probe_log(log), reason);
}

TEST(the_server_refuses_by_reason)
{
    char log[40];
    pid_t pid;
    int port = start_with_log(&pid, "", log);
    refused(port, log,
            &(struct probe){.version = TLS1_1_VERSION, .ciphers = "DEFAULT@SECLEVEL=0"},
            "refused: unsupported protocol; alert: protocol version");
    refused(port, log, &(struct probe){.version = TLS1_2_VERSION, .ciphers = "AES128-SHA"},
            "refused: no shared cipher; alert: handshake failure");
    refused(port, log, &(struct probe){.version = TLS1_3_VERSION, .groups = "P-521"},
            "refused: no suitable key share; alert: handshake failure");
    refused(port, log, &(struct probe){.protocols = "\x2h2"},
            "refused: no application protocol; alert: no application protocol");
    CHECK_HAS(probe_reason, "no application protocol"); // the client knows, too
    refused(port, log, &(struct probe){.version = TLS1_3_VERSION, .signatures = "ed25519"},
            "refused: no suitable signature algorithm; alert: handshake failure");
    CHECK(exchange(port));
    stop_with_log(pid, log);
}

TEST(versions_and_suites_that_are_not_shared)
{
    static const struct {
        const char *options;
        struct probe probe;
        const char *reason;
    } cases[] = {{"--tls 1.3", {.version = TLS1_2_VERSION}, "refused: unsupported protocol"},
                 {"--tls 1.2", {.version = TLS1_3_VERSION}, "refused: unsupported protocol"},
                 {"--ciphers TLS_AES_128_GCM_SHA256",
                  {.version = TLS1_3_VERSION, .suites = "TLS_AES_256_GCM_SHA384"},
                  "refused: no shared cipher"},
                 {"--key ecdsa",
                  {.version = TLS1_3_VERSION, .signatures = "RSA-PSS+SHA256"},
                  "refused: no suitable signature algorithm"}};
    char log[40];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pid_t pid;
        int port = start_with_log(&pid, cases[i].options, log);
        refused(port, log, &cases[i].probe, cases[i].reason);
        stop_with_log(pid, log);
    }
}

TEST(a_client_has_to_show_its_certificate)
{
    char log[40];
    pid_t pid;
    int port = start_with_log(&pid, "--require-client-cert", log);
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct probe probe = {.version = version};
        refused(port, log, &probe,
                version == TLS1_3_VERSION
                    ? "refused: peer did not return a certificate; alert: certificate required"
                    : "refused: peer did not return a certificate; alert: handshake failure");
        probe.with_client = true;
        probe.client = CERTIFICATE_UNKNOWN_CA;
        refused(port, log, &probe,
                "refused: certificate verify failed: unable to get local issuer certificate; "
                "alert: unknown CA");
        probe.client = CERTIFICATE_SERVER_ECDSA; // for servers only
        refused(port, log, &probe,
                "refused: certificate verify failed: unsuitable certificate purpose; "
                "alert: unsupported certificate");
        probe.client = CERTIFICATE_CLIENT;
        CHECK_INT(probe_once(port, &probe, GET_FACTS), 200);
        CHECK_HAS(probe_answer, "client certificate: A Student\n");
        probe.session =
            probe_session(port, &probe); // resumed: it is not shown again, but known
        CHECK_INT(probe_once(port, &probe, GET_FACTS), 200);
        CHECK_HAS(probe_answer, "resumed: yes\n");
        CHECK_HAS(probe_answer, "client certificate: A Student\n");
        SSL_SESSION_free(probe.session);
    }
    stop_with_log(pid, log);
}

// ---- the log -------------------------------------------------------------------------------

TEST(the_log_has_status_and_bytes)
{
    char log[40];
    pid_t pid;
    int port = start_with_log(&pid, "", log);
    CHECK_INT(
        probe_once(port, &(struct probe){0}, "GET /bytes?n=7 HTTP/1.1\r\nHost: a\r\n\r\n"),
        200);
    CHECK_INT(probe_once(port, &(struct probe){0}, "GET /no HTTP/1.1\r\nHost: a\r\n\r\n"), 404);
    CHECK_INT(probe_once(port, &(struct probe){0}, "GET / HTTP/1.1\r\n\r\n"), 400);
    CHECK_HAS(probe_log(log), "GET /bytes?n=7: 200, 7 bytes\n");
    CHECK_HAS(probe_log(log),
              "GET /no: 404, 38 bytes: Not Found: there is no such path here\n");
    CHECK_HAS(probe_log(log), "a request: 400, ");
    stop_with_log(pid, log);
}
