// health.h: grpc.health.v1.Health, by which balancers and Kubernetes ask whether a service is
// there to be used.
//
//     message HealthCheckRequest { string service = 1; }          // "": the server as a whole
//     message HealthCheckResponse { ServingStatus status = 1; }
//     service Health { Check (HealthCheckRequest) returns (HealthCheckResponse);
//                      Watch (HealthCheckRequest) returns (stream HealthCheckResponse); }
#ifndef HEALTH_H
#define HEALTH_H

#include "call.h"

enum health_status { HEALTH_UNKNOWN, HEALTH_SERVING, HEALTH_NOT_SERVING, HEALTH_NO_SERVICE };

extern const struct handler health_service[];

// The services of this server, as calls_begin() got them.
void health_begin(const struct handler *const *services);

// From now on the answer is NOT_SERVING: watchers are to be woken.
void health_stop(void);

#endif
