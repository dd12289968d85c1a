// request_head.h: the head of a request as the upstream gets it: without what was about the
// client's connection (../../../common/forward.c), and with what the sidecar adds.
#ifndef REQUEST_HEAD_H
#define REQUEST_HEAD_H

#include "sidecar.h"

// Changes *head, and appends to d->request. False: there is no memory.
bool request_head_write(struct downstream *d, struct http_head *head);

#endif
