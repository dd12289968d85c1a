// http_date.c: dates, see http.h.
#include "http.h"

#include <stdio.h>

#define FIFTY_YEARS (INT64_C(50) * 365 * 86400 + 13 * 86400) // in seconds

const char *http_date(time_t seconds)
{
    static _Thread_local time_t last = -1;
    static _Thread_local char text[40];
    struct tm utc;
    if (seconds != last && gmtime_r(&seconds, &utc))
        strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    last = seconds;
    return text;
}

// The second form has a year of two digits. A date that seems to lie more than 50 years ahead
// means the century before (RFC 9110 §5.6.7).
static time_t in_its_century(struct tm *utc)
{
    time_t now = time(NULL);
    struct tm today;
    gmtime_r(&now, &today);
    utc->tm_year = today.tm_year / 100 * 100 + utc->tm_year % 100;
    struct tm copy = *utc;
    if (timegm(&copy) > now + FIFTY_YEARS)
        utc->tm_year -= 100;
    return timegm(utc);
}

time_t http_read_date(struct http_text date)
{
    static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT",
                                        "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"};
    char text[40];
    if (!date.length || date.length >= sizeof text)
        return -1;
    snprintf(text, sizeof text, "%.*s", (int)date.length, date.at);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct tm utc = {0};
        const char *end = strptime(text, forms[i], &utc);
        if (!end || *end)
            continue;
        int day = utc.tm_mday;
        time_t seconds;
        if (i == 1)
            seconds = in_its_century(&utc);
        else
            seconds = timegm(&utc);
        if (utc.tm_mday != day) // timegm() moves 31 February to 3 March
            return -1;
        return seconds;
    }
    return -1;
}
