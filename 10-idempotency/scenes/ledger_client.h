// ledger_client.h: what the scenes share: new names, and what the
// server's books say afterwards. So a scene may be played again and again, beside others,
// against one server.
#ifndef LEDGER_CLIENT_H
#define LEDGER_CLIENT_H

#include <stdint.h>

#include "operation.h"
#include "ulid.h"
#include "uuid.h"

#define AMOUNT        1250 // cents, of every charge of the scenes
#define PATIENCE_MS   10000
#define CUSTOMER_SIZE 40
#define CHARGE_SIZE   200

// One customer: the source of some charges. Each scene makes a new customer.
struct customer {
    char source[CUSTOMER_SIZE];
    char since[CUSTOMER_SIZE]; // an id that sorts before all charges of this customer
    char charge[CHARGE_SIZE];  // the content of a request that charges this customer
};

// Where the server of the class is: for main().
void ledger_at(const char *host, int port);
const struct service *the_server(void);

// A new customer: there is no charge yet.
void customer_new(struct customer *customer);

// A fresh Idempotency-Key. Returns text.
char *new_key(char text[UUID_LENGTH + 1]);

// Makes a call that has to be answered: dies with what has become of it instead.
void must_call(const struct service *service, const char *method, const char *target,
               const char *content, struct call *call);

// How often the customer has been charged, by the server's own list.
int charges_of(const struct service *service, const struct customer *customer);

// A number of GET /stats.
long figure_of(const struct service *service, const char *name);

// A charge of a new customer with a new key: operation_run() makes calls until it is certain,
// and tells of each on the timeline. It points to both.
struct operation charge_operation(const struct service *service, struct customer *customer,
                                  char key[UUID_LENGTH + 1]);

// Prints an answer: its status, and its content in lines that fit.
void say_answer(const struct call *call);

// From now on the server answers 503 to every charge, for so many milliseconds.
void fail_for(const struct service *service, int ms);

#endif
