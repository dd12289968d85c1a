// problem.h: what is said when something is wrong (RFC 9457): the status again; a sentence for
// a person; and the field that it is about.
#ifndef PROBLEM_H
#define PROBLEM_H

#include "connection.h"

// Answers with a problem. `fields` end with CRLF. `field` NULL: it is about the whole request.
void problem(struct connection *c, int status, const char *fields, const char *field,
             const char *detail);

#endif
