// test_crash.h: tests of the server with a process that dies, a disk that is full, and a client
// that does not give up.
#ifndef TEST_CRASH_H
#define TEST_CRASH_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mount.h>

#include "test_journal.h"
#include "test_talk.h"

// ---- one crash -----------------------------------------------------------------------------

static inline void expect_killed(pid_t pid)
{
    int status;
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status));
    CHECK_INT(WTERMSIG(status), SIGKILL);
}

// Wherever it dies, the retry ends with one charge; where the charge was in the journal before,
// it is the first one's answer.
TEST(a_crash_at_each_point)
{
    static const struct {
        const char *point;
        bool made;
    } cases[] = {{"before-journal", false},
                 {"after-journal", true}, // it is in the kernel's memory, which has not crashed
                 {"after-sync", true},
                 {"before-reply", true}};
    pid_t pid;
    char options[60];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unlink(journal_of_its_own());
        snprintf(options, sizeof options, "--crash-at %s:2", cases[i].point);
        int port = serve(&pid, options);
        CHECK_INT(charge(port, "first", A_CHARGE), 201);
        CHECK_INT(charge(port, "second", A_CHARGE), 0);
        expect_killed(pid);
        port = serve(&pid, "");
        CHECK_INT(charge(port, "second", A_CHARGE), 201);
        CHECK_INT(was_replayed(), cases[i].made);
        CHECK_INT(charge(port, "first", A_CHARGE), 201);
        CHECK(was_replayed());
        expect_balance(port, 2, 1000);
        CHECK_INT(test_stop(pid), 0);
    }
}

// The notes' pattern, at the same points: the charge is lost, or its answer.
TEST(a_crash_in_the_notes_pattern)
{
    static const struct {
        const char *point;
        int status, charges; // of the retry; in the end
    } cases[] = {{"after-check", 201, 1}, {"after-mark", 200, 0}, {"after-charge", 200, 1}};
    pid_t pid;
    char options[60];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unlink(journal_of_its_own());
        snprintf(options, sizeof options, "--crash-at %s", cases[i].point);
        int port = serve(&pid, options);
        CHECK_INT(status_of(begin_charge(port, "/notes-pattern/charges", "k", A_CHARGE)), 0);
        expect_killed(pid);
        port = serve(&pid, "");
        CHECK_INT(status_of(begin_charge(port, "/notes-pattern/charges", "k", A_CHARGE)),
                  cases[i].status);
        expect_balance(port, cases[i].charges, 500 * cases[i].charges);
        CHECK_INT(test_stop(pid), 0);
    }
}

// ---- two hundred crashes under load --------------------------------------------------------

#define CRASHES          200
#define CUSTOMERS        4
#define CRASHING_SECONDS 40 // on a machine that is too busy for all of them, fewer

struct load {
    atomic_int port; // of the server that is there now; 0: there is none
    atomic_bool over;
    atomic_long told, told_sum; // charges that were answered with 201
};

struct customer {
    struct load *load;
    int number;
    pthread_t thread;
};

// The answer's status to one request of a customer, 0 if it was lost.
static inline int request_once(int port, const char *text)
{
    char bytes[2000];
    size_t length = 0;
    int fd = net_connect("127.0.0.1", port);
    if (fd < 0)
        return 0;
    bool sent = write_all(fd, text, strlen(text));
    for (ssize_t got = 1; sent && got > 0 && length < sizeof bytes - 1; length += (size_t)got) {
        got = read(fd, bytes + length, sizeof bytes - 1 - length);
        if (got < 0)
            got = 0;
    }
    bytes[length] = '\0';
    close(fd);
    return strstr(bytes, "\r\n\r\n") && !strncmp(bytes, "HTTP/1.1 ", 9) ? atoi(bytes + 9) : 0;
}

// Charges, one after another, each with its key until there is an answer; and between them
// something that makes the journal worth rewriting.
static void *pay(void *argument)
{
    struct customer *customer = argument;
    struct load *load = customer->load;
    char text[500], content[150];
    for (int i = 0; !load->over; i++) {
        int amount = 1 + (i * 7 + customer->number) % 1000, status = 0;
        snprintf(content, sizeof content,
                 "{\"amount\":%d,\"currency\":\"eur\",\"source\":\"tok_%d\"}", amount,
                 customer->number);
        snprintf(text, sizeof text,
                 "POST /charges HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                 "Idempotency-Key: c%d-%d\r\nContent-Length: %zu\r\n\r\n%s",
                 customer->number, i, strlen(content), content);
        while (status != 201) {
            int port = load->port;
            status = 0;
            if (port)
                status = request_once(port, text);
            if (status != 0 && status != 201 && status != 409)
                FAIL("%d for charge %d", status, i);
            if (status != 201)
                sleep_ms(2);
        }
        load->told++;
        load->told_sum += amount;
        snprintf(content, sizeof content, "{\"owner\":\"%0*d\",\"limit\":1}", 90, i);
        snprintf(text, sizeof text,
                 "PUT /accounts/a%d HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                 "Content-Length: %zu\r\n\r\n%s",
                 customer->number, strlen(content), content);
        if (load->port)
            request_once(load->port, text);
    }
    return NULL;
}

// Waits until the server has killed itself, or kills it after a while.
static inline void await_crash(pid_t pid, int patience_ms)
{
    int status;
    int64_t until_ns = now_ns() + patience_ms * INT64_C(1000000);
    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (now_ns() > until_ns)
            kill(pid, SIGKILL);
        sleep_ms(1);
    }
    CHECK(WIFSIGNALED(status));
    CHECK_INT(WTERMSIG(status), SIGKILL);
}

#define KEYS_OF_ONE (1 << 20) // customer, at most

struct keys {
    bool seen[CUSTOMERS][KEYS_OF_ONE];
    long count;
};

static bool take_key(void *context, const char *line, size_t length)
{
    struct keys *keys = context;
    const char *key = memmem(line, length, "\"key\":\"c", 8);
    if (!key)
        return count_line(NULL, line, length);
    char *end;
    long customer = strtol(key + 8, &end, 10), number = strtol(end + 1, NULL, 10);
    if (customer >= CUSTOMERS || number >= KEYS_OF_ONE)
        return false;
    if (keys->seen[customer][number])
        FAIL("key c%ld-%ld is there twice", customer, number);
    keys->seen[customer][number] = true;
    keys->count++;
    return true;
}

// No key twice in the journal; returns how many charges there are.
static inline long count_keys(void)
{
    static struct keys keys;
    struct recovery recovery = {.take = take_key, .context = &keys};
    int fd = open(journal_path, O_RDONLY);
    if (!recovery_read(&recovery, fd))
        FAIL("at byte %lld: %s", (long long)recovery.error_at, recovery.error);
    close(fd);
    return keys.count;
}

TEST(two_hundred_crashes)
{
    static const char *const points[] = {"before-journal", "after-journal",   "after-sync",
                                         "before-reply",   "compact-written", "compact-synced",
                                         "compact-renamed"};
    static struct customer customers[CUSTOMERS];
    static struct load load;
    uint64_t random = 11;
    char options[100];
    pid_t pid;
    int crashes = CRASHES;
    if (getenv("CRASHES"))
        crashes = atoi(getenv("CRASHES"));
    journal_of_its_own();
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < CUSTOMERS; i++) {
        customers[i] = (struct customer){.load = &load, .number = i};
        CHECK(!pthread_create(&customers[i].thread, NULL, pay, &customers[i]));
    }
    int64_t until_ns = now_ns() + CRASHING_SECONDS * INT64_C(1000000000);
    for (int i = 0; i < crashes && now_ns() < until_ns && !test_failures; i++) {
        snprintf(options, sizeof options, "--waste-kb 1 --crash-at %s:%lu",
                 points[next_random(&random) % 7], 1 + next_random(&random) % 15);
        load.port = serve(&pid, options);
        CHECK(load.port);
        await_crash(pid, 20 + (int)(next_random(&random) % 80));
        load.port = 0;
    }
    int port = serve(&pid, "");
    load.port = port;
    load.over = true;
    for (int i = 0; i < CUSTOMERS; i++)
        pthread_join(customers[i].thread, NULL);
    expect_balance(port, load.told, load.told_sum);
    CHECK_INT(test_stop(pid), 0);
    CHECK_INT(count_keys(), load.told);
    CHECK(load.told > 0);
}

// ---- a disk without room -------------------------------------------------------------------

// Charges until the server says that it cannot; returns how many it has taken.
static inline int charge_until_full(int port, const char *prefix, int max)
{
    char key[300];
    int status = 201, count = -1;
    while (status == 201 && ++count < max) {
        snprintf(key, sizeof key, "%s-%d-%0*d", prefix, count, 200, 0);
        status = charge(port, key, A_CHARGE);
    }
    CHECK_INT(status, 503);
    CHECK_HAS(answer, "\r\nRetry-After: ");
    return count;
}

static inline void expect_service(int port, pid_t pid, int count)
{
    CHECK_INT(charge(port, "there-is-room-again", A_CHARGE), 201);
    CHECK(!was_replayed());
    expect_balance(port, count + 1, 500 * (count + 1));
    CHECK_INT(test_stop(pid), 0);
    port = serve(&pid, "");
    expect_balance(port, count + 1, 500 * (count + 1));
    CHECK_INT(test_stop(pid), 0);
}

TEST(a_full_disk_and_room_again)
{
    pid_t pid;
    struct rlimit limit = {JOURNAL_AHEAD + 10000, RLIM_INFINITY},
                  none = {RLIM_INFINITY, RLIM_INFINITY};
    if (!access("/dev/shm", W_OK)) // where a sync costs nothing: some thousand are needed
        journal_root = "/dev/shm";
    int port = serve(&pid, "");
    CHECK(!prlimit(pid, RLIMIT_FSIZE, &limit, NULL));
    int count = charge_until_full(port, "k", 4000);
    CHECK(count > 100);
    expect_balance(port, count, 500 * count);
    CHECK_INT(charge(port, "refused", A_CHARGE), 503);
    CHECK_INT(figure(port, "/stats", "under_way"), 0);
    CHECK(!prlimit(pid, RLIMIT_FSIZE, &none, NULL));
    CHECK_INT(charge(port, "refused", A_CHARGE), 201); // and not 409: the key was given back
    CHECK(!was_replayed());
    expect_service(port, pid, count + 1);
}

// The same on a real file system: a small one, in a mount namespace of the test's own.
TEST(a_full_file_system_and_room_again)
{
    pid_t pid;
    char path[100], zeros[4096] = {0};
    if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mount("none", "/mnt", "tmpfs", 0, "size=2m"))
        return; // only root may: the test above does the same with a limit
    snprintf(journal_path, sizeof journal_path, "/mnt/journal");
    snprintf(path, sizeof path, "/mnt/filler");
    int port = serve(&pid, "");
    int filler = open(path, O_WRONLY | O_CREAT, 0666);
    while (write(filler, zeros, sizeof zeros) > 0)
        ;
    close(filler);
    int count = charge_until_full(port, "k", 4000);
    CHECK(count > 100);
    CHECK(!unlink(path));
    expect_service(port, pid, count);
}

// ---- a journal that is damaged -------------------------------------------------------------

TEST(a_damaged_journal_is_not_served)
{
    pid_t pid;
    char command[400], byte;
    int port = serve(&pid, "");
    for (int i = 0; i < 3; i++) {
        char key[10] = {(char)('a' + i)};
        CHECK_INT(charge(port, key, A_CHARGE), 201);
    }
    snprintf(command, sizeof command, "./server --port 0 --journal %s", journal_path);
    CHECK_INT(test_run(command), 1); // while the other one has it
    CHECK_HAS(test_output, "another server has ");
    CHECK_INT(test_stop(pid), 0);
    int fd = open(journal_path, O_RDWR);
    CHECK_INT(pread(fd, &byte, 1, 100), 1);
    byte ^= 4;
    CHECK_INT(pwrite(fd, &byte, 1, 100), 1);
    CHECK_INT(test_run(command), 1);
    CHECK_HAS(test_output, ", at byte 16: the checksum of the group is wrong");
    close(fd);
}

#endif
