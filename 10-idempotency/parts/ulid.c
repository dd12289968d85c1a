// ulid.c: see ulid.h.
#include "ulid.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

#define TIME_BYTES 6
#define DIGIT_BITS 5

// Without I, L and O, which look like 1 and 0, and U, which makes words.
static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

uint64_t ulid_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t ulid_ms(const struct ulid *ulid)
{
    uint64_t ms = 0;
    for (int i = 0; i < TIME_BYTES; i++)
        ms = ms << 8 | ulid->bytes[i];
    return ms;
}

// Adds 1 to the random part. False if it was the largest there is.
static bool increment(struct ulid *ulid)
{
    for (int i = ULID_BYTES - 1; i >= TIME_BYTES; i--)
        if (++ulid->bytes[i])
            return true; // no carry
    return false;
}

bool ulid_next(struct ulid_source *source, uint64_t now_ms, struct ulid *ulid)
{
    const size_t random_bytes = ULID_BYTES - TIME_BYTES;
    struct ulid next = source->last;
    if (now_ms > ULID_MS_MAX)
        return false;
    if (now_ms <= ulid_ms(&next)) { // the same millisecond, or a clock that was put back
        if (!increment(&next))
            return false;
    } else {
        for (int i = 0; i < TIME_BYTES; i++)
            next.bytes[i] = (uint8_t)(now_ms >> (8 * (TIME_BYTES - 1 - i)));
        // getrandom(2): so few bytes come all at once, whatever signals arrive.
        if (getrandom(next.bytes + TIME_BYTES, random_bytes, 0) != (ssize_t)random_bytes)
            return false;
    }
    *ulid = source->last = next;
    return true;
}

// 26 digits are 130 bits: the first digit has only the three bits that 128 leave for it.
char *ulid_write(const struct ulid *ulid, char text[ULID_LENGTH + 1])
{
    unsigned bits = 0, waiting = 2; // bits not written yet, two zeros at first
    char *to = text;
    for (int i = 0; i < ULID_BYTES; i++) {
        bits = bits << 8 | ulid->bytes[i];
        for (waiting += 8; waiting >= DIGIT_BITS; waiting -= DIGIT_BITS)
            *to++ = digits[bits >> (waiting - DIGIT_BITS) & 31];
    }
    *to = '\0';
    return text;
}

bool ulid_read(const char *text, size_t length, struct ulid *ulid)
{
    struct ulid read;
    unsigned bits = 0, waiting = 0;
    uint8_t *to = read.bytes;
    if (length != ULID_LENGTH || text[0] < '0' || text[0] > '7')
        return false;
    for (size_t i = 0; i < length; i++) {
        char capital = text[i];
        if (capital >= 'a' && capital <= 'z')
            capital = (char)(capital - 'a' + 'A');
        const char *digit = memchr(digits, capital, 32);
        if (!digit)
            return false;
        bits = bits << DIGIT_BITS | (unsigned)(digit - digits);
        waiting += i ? DIGIT_BITS : DIGIT_BITS - 2;
        if (waiting >= 8) {
            waiting -= 8;
            *to++ = (uint8_t)(bits >> waiting);
        }
    }
    *ulid = read;
    return true;
}
