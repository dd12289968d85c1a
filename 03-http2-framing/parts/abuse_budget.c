// abuse_budget.c: see abuse_budget.h.
#include "abuse_budget.h"

#define BACK_NS (BUDGET_BACK_MS * INT64_C(1000000))

void budget_begin(struct abuse_budget *budget, int64_t now_ns)
{
    *budget = (struct abuse_budget){BUDGET_MAX, now_ns};
}

void budget_earn(struct abuse_budget *budget, int32_t amount)
{
    budget->left += amount;
    if (budget->left > BUDGET_MAX)
        budget->left = BUDGET_MAX;
}

bool budget_spend(struct abuse_budget *budget, int64_t now_ns, int32_t cost)
{
    int64_t back = (now_ns - budget->reckoned_ns) / BACK_NS;
    if (back > BUDGET_MAX)
        back = BUDGET_MAX;
    if (back > 0) {
        budget->reckoned_ns = now_ns;
        budget_earn(budget, (int32_t)back);
    }
    budget->left -= cost;
    return budget->left >= 0;
}

void pace_begin(struct pace *pace, int64_t now_ns)
{
    pace->paid_ns = now_ns;
}

void pace_move(struct pace *pace, int64_t now_ns, uint32_t bytes)
{
    pace->paid_ns += (int64_t)bytes * PACE_BYTE_NS;
    if (pace->paid_ns > now_ns)
        pace->paid_ns = now_ns;
}
