// retry.c: see retry.h. Read retry_decide() first.
#include "retry.h"

#include <string.h>

#define WHOLE       1000 // of the budget: one retry
#define BUDGET_FULL 10   // requests' worth of unused retries: a quiet hour saves up no storm

const char *const retry_words[] = {[RETRY_YES] = "it is sent again",
                                   [RETRY_NO_FAILURE] = "that is not tried again",
                                   [RETRY_NO_UNSAFE] = "it may have been delivered",
                                   [RETRY_NO_TRIES] = "no more tries",
                                   [RETRY_NO_BUDGET] = "no budget for retries is left",
                                   [RETRY_NO_INSTANCE] = "no instance is left"};

bool retry_is_idempotent(const char *method, unsigned long length)
{
    static const char *const idempotent[] = {"GET",   "HEAD", "OPTIONS",
                                             "TRACE", "PUT",  "DELETE"};
    for (unsigned i = 0; i < sizeof idempotent / sizeof *idempotent; i++)
        if (strlen(idempotent[i]) == length && !memcmp(idempotent[i], method, length))
            return true;
    return false;
}

void retry_budget_add(struct retry_budget *budget, const struct retry_settings *settings)
{
    long most = (long)settings->budget_percent * BUDGET_FULL * WHOLE / 100;
    budget->left += settings->budget_percent * WHOLE / 100;
    if (budget->left > most)
        budget->left = most;
}

enum retry_verdict retry_decide(const struct retry_settings *settings,
                                const struct retry_request *request,
                                struct retry_budget *budget)
{
    if (request->failure == RETRY_TIMED_OUT || request->failure == RETRY_REFUSED)
        return RETRY_NO_FAILURE;
    if (!request->kept || (request->failure == RETRY_BROKEN && !request->idempotent))
        return RETRY_NO_UNSAFE;
    if (request->tries >= settings->tries)
        return RETRY_NO_TRIES;
    if (budget->left + (long)settings->budget_min * WHOLE < WHOLE)
        return RETRY_NO_BUDGET;
    budget->left -= WHOLE;
    return RETRY_YES;
}

int retry_backoff_ms(const struct retry_settings *settings, int tries, uint64_t random)
{
    int most = settings->backoff_ms;
    for (int i = 1; i < tries && most < RETRY_BACKOFF_MAX_MS; i++)
        most *= 2;
    if (most > RETRY_BACKOFF_MAX_MS)
        most = RETRY_BACKOFF_MAX_MS;
    return (int)(random % (uint64_t)(most + 1));
}
