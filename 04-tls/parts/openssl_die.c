// openssl_die.c: see openssl_die.h.
#include "openssl_die.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>

#include "net.h"

void openssl_die(const char *doing, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    if (!reason)
        reason = strerror(errno);
    die("cannot %s %s: %s", doing, what, reason);
}
