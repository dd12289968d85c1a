// abuse_budget.c: see abuse_budget.h.
#include "abuse_budget.h"

#define BACK_NS (BUDGET_BACK_MS * INT64_C(1000000))

void budget_begin(struct abuse_budget *budget, int64_t now_ns)
{
    *budget = (struct abuse_budget){.left = BUDGET_MAX, .reckoned_ns = now_ns};
}

void budget_earn(struct abuse_budget *budget, int32_t amount)
{
    budget->left += amount;
    if (budget->left > BUDGET_MAX)
        budget->left = BUDGET_MAX;
}

void budget_earn_data(struct abuse_budget *budget, uint32_t length, uint32_t may_send)
{
    if (length < EARNING_BYTES && length == may_send)
        return;
    budget_earn(budget, BUDGET_FOR_DATA);
    budget->updates += BUDGET_FOR_DATA + length / UPDATE_BYTES;
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

bool budget_spend_frame(struct abuse_budget *budget, int64_t now_ns, const struct frame *frame,
                        bool is_open)
{
    bool content = frame->content_length || (frame->flags & FLAG_END_STREAM);
    if (frame->type == FRAME_DATA && content && is_open)
        return true;
    if (frame->type == FRAME_WINDOW_UPDATE && budget->updates > 0) {
        budget->updates--;
        return true;
    }
    return budget_spend(budget, now_ns, 1);
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
