// udp_pause.c: see udp_pause.h.
#include "udp_pause.h"

#include "net.h"
#include "service.h"

static int64_t until_ns; // 0: not paused
static int resumes;      // service_resumes() when the pause began

void udp_pause(int ms)
{
    until_ns = now_ns() + ms * INT64_C(1000000);
    resumes = service_resumes();
}

int64_t udp_paused_until_ns(int64_t now)
{
    if (now >= until_ns || resumes != service_resumes())
        until_ns = 0;
    return until_ns;
}
