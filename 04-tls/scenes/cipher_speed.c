// cipher_speed.c: see cipher_speed.h.
#include "cipher_speed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "in_memory_tls.h"
#include "net.h"

#define MEASURE_US 30000

// The CPU without AES-NI (bit 57) and PCLMULQDQ (33), and without the same for wide registers,
// VAES (64 + 41) and VPCLMULQDQ (64 + 42): OPENSSL_ia32cap(3).
#define WITHOUT_AES "~0x200000200000000:~0x60000000000"

double cipher_speed(const EVP_CIPHER *cipher)
{
    static uint8_t key[32], nonce[12], plain[RECORD_BYTES], secret[RECORD_BYTES + 16];
    double start_us = duo_cpu_us(), took_us = 0, bytes = 0;
    int length;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    for (; took_us < MEASURE_US; took_us = duo_cpu_us() - start_us, bytes += RECORD_BYTES)
        if (!ctx || !EVP_EncryptInit_ex(ctx, cipher, NULL, key, nonce) ||
            !EVP_EncryptUpdate(ctx, secret, &length, plain, RECORD_BYTES) ||
            !EVP_EncryptFinal_ex(ctx, secret + length, &length))
            die("OpenSSL does not encrypt");
    EVP_CIPHER_CTX_free(ctx);
    return bytes / took_us;
}

bool cpu_has_aes(void)
{
#if defined __x86_64__ || defined __i386__
    return __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
#else
    return false;
#endif
}

double aes_speed_without_instructions(void)
{
    int ends[2], status;
    double speed;
    if (pipe2(ends, O_CLOEXEC))
        die("pipe2(): %s", strerror(errno));
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0)
        die("cannot start a process: %s", strerror(errno));
    if (pid == 0) {
        if (dup2(ends[1], STDOUT_FILENO) >= 0 && !setenv("OPENSSL_ia32cap", WITHOUT_AES, 1))
            execl("/proc/self/exe", "play", "--aes-speed", NULL);
        _exit(127);
    }
    close(ends[1]);
    FILE *says = fdopen(ends[0], "r");
    if (!says || fscanf(says, "%lf", &speed) != 1 || waitpid(pid, &status, 0) != pid || status)
        die("./play --aes-speed has measured nothing");
    fclose(says);
    return speed;
}
