// test_keys.h: certificates and keys on disk, and secrets that must not get anywhere else. A
// part of test.c.
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

static char folder[] = "/tmp/workbench-04-keys-XXXXXX";

// A new folder of certificates, for this test only.
static void begin_folder(void)
{
    signal(SIGPIPE, SIG_IGN);
    if (!mkdtemp(folder) || rmdir(folder)) // certificates_make() creates it
        FAIL("no folder");
    certificates_make(folder);
}

static void end_folder(void)
{
    char command[100];
    snprintf(command, sizeof command, "rm -r %s", folder);
    CHECK_INT(test_run(command), 0);
}

// What a file is: another number if it has been written anew.
static ino_t identity(enum certificate which)
{
    struct certificate_files files = certificate_files(folder, which);
    struct stat status = {0};
    CHECK(!stat(files.chain, &status));
    return status.st_ino;
}

static X509 *read_certificate(enum certificate which)
{
    struct certificate_files files = certificate_files(folder, which);
    FILE *file = fopen(files.chain, "re");
    X509 *certificate = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    CHECK(certificate != NULL);
    if (file)
        fclose(file);
    return certificate;
}

// What is the use of all this: a good client trusts a server with these certificates.
static bool works(void)
{
    char options[100];
    pid_t pid;
    snprintf(options, sizeof options, "--keys %s", folder);
    int port = start(&pid, options), good = 0;
    static const char *const names[] = {NAME, "other.test", "127.0.0.1"};
    for (int i = 0; i < 2; i++)
        good += probe_once(port, &(struct probe){.name = names[i], .keys = folder},
                           GET_FACTS) == 200;
    CHECK_INT(test_stop(pid), 0);
    return good == 2;
}

TEST(keys_are_for_their_owner)
{
    struct stat status;
    begin_folder();
    CHECK(!stat(folder, &status));
    CHECK_INT(status.st_mode & 0777, 0700);
    for (enum certificate i = 0; i < CERTIFICATES; i++) {
        struct certificate_files files = certificate_files(folder, i);
        CHECK(!stat(files.key, &status));
        CHECK_INT(status.st_mode & 0777, 0600);
    }
    CHECK(works());
    end_folder();
}

TEST(what_is_good_stays)
{
    ino_t before[CERTIFICATES];
    begin_folder();
    for (enum certificate i = 0; i < CERTIFICATES; i++)
        before[i] = identity(i);
    certificates_make(folder);
    for (enum certificate i = 0; i < CERTIFICATES; i++)
        CHECK(identity(i) == before[i]);
    end_folder();
}

// What is wrong with one certificate is put right, and the others stay as they are.
TEST(what_is_bad_is_made_anew)
{
    static const char *const damage[] = {
        "rm server-ecdsa.pem",
        "rm server-ecdsa-key.pem",
        "cp expired.pem server-ecdsa.pem && cp expired-key.pem server-ecdsa-key.pem",
        "cp other-ecdsa.pem server-ecdsa.pem && cp other-ecdsa-key.pem server-ecdsa-key.pem",
        "cp client-key.pem server-ecdsa-key.pem",
        "chmod 644 server-ecdsa-key.pem",
        "cp server-rsa.pem server-ecdsa.pem && cp server-rsa-key.pem server-ecdsa-key.pem",
        "echo nonsense >server-ecdsa.pem",
        ": >server-ecdsa-key.pem",
        "echo half >server-ecdsa.pem.new"};
    char command[300];
    begin_folder();
    for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
        ino_t ca = identity(CERTIFICATE_CA), other = identity(CERTIFICATE_OTHER_RSA);
        snprintf(command, sizeof command, "cd %s && %s", folder, damage[i]);
        CHECK_INT(test_run(command), 0);
        certificates_make(folder);
        CHECK_INT(identity(CERTIFICATE_CA), ca);
        CHECK_INT(identity(CERTIFICATE_OTHER_RSA), other);
        CHECK(works());
    }
    end_folder();
}

TEST(another_ca_signs_all_of_them_anew)
{
    char command[200];
    begin_folder();
    snprintf(command, sizeof command, "cd %s && rm ca-key.pem", folder);
    CHECK_INT(test_run(command), 0);
    ino_t stranger = identity(CERTIFICATE_STRANGER);
    certificates_make(folder);
    CHECK(identity(CERTIFICATE_STRANGER) == stranger);
    CHECK(works());
    end_folder();
}

TEST(several_programs_make_them_at_once)
{
    pid_t pids[6];
    begin_folder();
    for (int round = 0; round < 3; round++) {
        end_folder();
        for (int i = 0; i < 6; i++) {
            if ((pids[i] = fork()) == 0) {
                certificates_make(folder);
                _exit(0);
            }
        }
        for (int i = 0, status; i < 6; i++) {
            CHECK_INT(waitpid(pids[i], &status, 0), pids[i]);
            CHECK_INT(status, 0);
        }
        CHECK(works());
    }
    end_folder();
}

TEST(dates_and_names)
{
    begin_folder();
    time_t soon = time(NULL) + 5 * 365 * 86400L, now = time(NULL);
    for (enum certificate i = 0; i < CERTIFICATES; i++) {
        X509 *certificate = read_certificate(i);
        bool expired = i == CERTIFICATE_EXPIRED;
        CHECK(X509_cmp_time(X509_get0_notBefore(certificate), &now) < 0);
        CHECK((X509_cmp_time(X509_get0_notAfter(certificate), expired ? &now : &soon) < 0) ==
              expired);
        X509_free(certificate);
    }
    X509 *server = read_certificate(CERTIFICATE_SERVER_RSA);
    CHECK_INT(X509_check_ip_asc(server, "127.0.0.1", 0), 1);
    CHECK_INT(X509_check_ip_asc(server, "10.0.0.2", 0), 1);
    CHECK_INT(X509_check_host(server, "localhost", 0, 0, NULL), 1);
    CHECK_INT(X509_check_host(server, "other.test", 0, 0, NULL), 0);
    CHECK_INT(EVP_PKEY_get_bits(X509_get0_pubkey(server)), 2048);
    X509_free(server);
    end_folder();
}

// The clock was ahead when a certificate was made: it is not good yet.
TEST(a_certificate_of_the_future_is_made_anew)
{
    begin_folder();
    struct certificate_files files = certificate_files(folder, CERTIFICATE_SERVER_ECDSA);
    struct certificate_files ca = certificate_files(folder, CERTIFICATE_INTERMEDIATE);
    FILE *key_file = fopen(ca.key, "re");
    EVP_PKEY *key = PEM_read_PrivateKey(key_file, NULL, NULL, NULL);
    X509 *certificate = read_certificate(CERTIFICATE_SERVER_ECDSA);
    CHECK(X509_gmtime_adj(X509_getm_notBefore(certificate), 40 * 86400L) != NULL);
    CHECK(X509_sign(certificate, key, EVP_sha256()) > 0);
    FILE *file = fopen(files.chain, "we");
    CHECK(PEM_write_X509(file, certificate));
    fclose(file);
    fclose(key_file);
    X509_free(certificate);
    EVP_PKEY_free(key);
    ino_t other = identity(CERTIFICATE_OTHER_RSA);
    certificates_make(folder);
    CHECK(identity(CERTIFICATE_OTHER_RSA) == other);
    CHECK(works());
    end_folder();
}

// As after "sudo make run-04": what to do is said.
TEST(a_folder_of_another_user)
{
    char said[] = "/tmp/workbench-04-XXXXXX";
    int status = 0;
    if (geteuid())
        return; // only root can try this
    begin_folder();
    int fd = mkstemp(said);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fd, STDERR_FILENO);
        if (!setgid(65534) && !setuid(65534))
            certificates_make(folder);
        _exit(0);
    }
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 1);
    CHECK_HAS(probe_log(said),
              "the folder belongs to another user: sudo rm -r /tmp/workbench-04-keys");
    unlink(said);
    end_folder();
}

TEST(a_folder_that_cannot_be_written)
{
    CHECK_INT(test_run("./server --port 0 --keys /proc/nowhere"), 1);
    CHECK_HAS(test_output, "cannot create the folder /proc/nowhere: ");
}

// True if any line of the client's secrets is in the text.
static bool has_secret(const char *text)
{
    char secrets[sizeof probe_secrets], *rest = secrets;
    strcpy(secrets, probe_secrets);
    for (char *line; (line = strsep(&rest, "\n")) && *line;)
        if (strstr(text, strrchr(line, ' ') + 1))
            return true;
    return false;
}

TEST(no_secret_in_the_output)
{
    char log[40];
    pid_t pid;
    int port = start_with_log(&pid, "2>&1", log);
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++)
        CHECK_INT(probe_once(port, &(struct probe){.version = version}, GET_FACTS), 200);
    probe_once(port, &(struct probe){.protocols = "\x2h2"}, GET_FACTS);
    CHECK_INT(test_stop(pid), 0);
    CHECK_AT_LEAST(strlen(probe_secrets), 501);
    CHECK_AT_LEAST(strlen(probe_log(log)), 201);
    CHECK(!has_secret(probe_log(log)));
    CHECK(!strstr(probe_log(log), "PRIVATE"));
    unlink(log);
}

TEST(the_key_log_is_asked_for)
{
    struct stat status;
    char file[] = "/tmp/workbench-04-XXXXXX", options[100];
    pid_t pid;
    close(mkstemp(file));
    unlink(file);
    snprintf(options, sizeof options, "--keylog %s", file);
    int port = start(&pid, options);
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++)
        for (int other = 0; other < 2; other++) // the second name has a context of its own
            CHECK_INT(probe_once(port,
                                 &(struct probe){.version = version,
                                                 .name = other ? "other.test" : NAME},
                                 GET_FACTS),
                      200);
    CHECK_INT(test_stop(pid), 0);
    CHECK(!stat(file, &status));
    CHECK_INT(status.st_mode & 0777, 0600);
    char secrets[sizeof probe_secrets], *rest = secrets;
    strcpy(secrets, probe_secrets);
    for (char *line; (line = strsep(&rest, "\n")) && *line;)
        CHECK_HAS(probe_log(file), line); // both sides have the same secrets
    unlink(file);
}

// All of what a server does, as valgrind sees it.
TEST(nothing_leaks)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return; // valgrind cannot run such programs, and they look for themselves
#endif
    pid_t pid;
    if (test_run("command -v valgrind"))
        SKIP("valgrind is not there: apt-get install valgrind");
    int port = test_start(&pid, "valgrind -q --leak-check=full --error-exitcode=9 "
                                "--errors-for-leak-kinds=definite,indirect,possible "
                                "./server --port 0 --early-data --quiet");
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct probe probe = {.version = version};
        probe.session = probe_session(port, &probe);
        CHECK_INT(probe_once(port, &probe, GET_FACTS), 200);
        SSL_SESSION_free(probe.session);
        probe.session = NULL;
        CHECK_INT(probe_once(port, &probe, "GET /bytes?n=500000 HTTP/1.1\r\nHost: a\r\n\r\n"),
                  200); // and goes
        probe.name = "expired.test";
        CHECK(!probe_open(port, &probe));
    }
    CHECK_INT(probe_once(port, &(struct probe){.protocols = "\x2h2"}, GET_FACTS), 0);
    SSL *ssl = probe_open(port, &(struct probe){0}); // is open when the server stops
    CHECK(probe_write(ssl, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf",
                      55));
    send_and_end(port, GET_FACTS, strlen(GET_FACTS));
    send_and_end(port, "\x16\x03\x01\x00\xff\x01", 6);
    CHECK(exchange(port));
    kill(pid, SIGTERM); // at once
    CHECK_INT(test_stop(pid), 0);
    probe_close(ssl);
}

// Certificates are where the lesson is, wherever its programs are started from.
TEST(keys_are_where_the_lesson_is)
{
    CHECK_INT(test_run("lesson=$PWD; folder=$(mktemp -d); cd $folder && "
                       "timeout 60 $lesson/client --port 1; rmdir $folder"),
              0); // else there would be something in it
    CHECK_HAS(test_output, "(is the server running?)");
    CHECK_INT(test_run("lesson=$PWD; cd / && $lesson/server --help"), 0);
    CHECK_HAS(test_output, "/04-tls/keys)");
}

// A group that has a name but no NID. (OpenSSL 3.5 has such; what is older has nothing to try.)
TEST(a_post_quantum_group)
{
    pid_t pid;
    if (!context_knows_groups("X25519MLKEM768")) {
        printf("    this OpenSSL has no post-quantum groups: not in this run\n");
        return;
    }
    int port = test_start(&pid, "./server --port 0 --groups X25519MLKEM768");
    CHECK_INT(probe_once(port, &(struct probe){.groups = "X25519MLKEM768"}, GET_FACTS), 200);
    CHECK_HAS(probe_answer, "group: X25519MLKEM768\n");
    CHECK_INT(probe_once(port, &(struct probe){.groups = "X25519"}, GET_FACTS), 0);
    CHECK_INT(test_stop(pid), 0);
}
