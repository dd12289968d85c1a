// openssl_die.h: how a program ends that OpenSSL, or a file for it, does not let begin.
#ifndef OPENSSL_DIE_H
#define OPENSSL_DIE_H

// Prints "PROGRAM: cannot DOING WHAT: reason" on stderr and exits 1. The reason is OpenSSL's
// first error that is not read yet, or errno's text where there is none. For start-up and for
// clients only, as die().
_Noreturn void openssl_die(const char *doing, const char *what);

#endif
