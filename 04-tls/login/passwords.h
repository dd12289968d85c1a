// passwords.h: who the users are, and how a password is checked. What is kept of a password is
// a hash that is slow to compute, by scrypt (RFC 7914), with a salt of its own: two users with
// the same password have different hashes, and a thief of the table has to try passwords one by
// one, slowly, for each user.
#ifndef PASSWORDS_H
#define PASSWORDS_H

#include <stdbool.h>

#define PASSWORD_BYTES 129 // of a password, with its '\0'
#define SCRYPT_R       8
#define SCRYPT_N_MAX   524288 // half a GB of memory
#define SCRYPT_P       5 // with N = 16384: 16 MB, what OWASP's password cheat sheet asks for

// The users of this lesson, the first one with the role "user", the second one "admin".
#define USER           "alice"
#define USER_PASSWORD  "white rabbit"
#define ADMIN          "bob"
#define ADMIN_PASSWORD "green caterpillar"

// Makes the users' hashes, with this cost: N of scrypt, at most SCRYPT_N_MAX. Call it first.
void passwords_begin(int n);

// Checks a password. Returns the user's role; NULL: there is no such user, or it is not the
// password. Both take the same work, so the time does not tell which. From any thread.
const char *password_check(const char *user, const char *password);

// How often scrypt has run since passwords_begin().
long password_checks(void);

#endif
