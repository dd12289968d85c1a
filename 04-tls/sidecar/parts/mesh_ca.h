// mesh_ca.h: the CA of the mesh, and the certificates that it issues. In a mesh a program of
// its own does this (Istio's istiod, SPIRE), and gives each workload a new certificate every
// few hours. Here the sidecar does it when it starts, if its certificate is missing.
#ifndef MESH_CA_H
#define MESH_CA_H

#include <stdbool.h>

#define MESH_CA_FOLDER  "../keys/mesh" // beside those of the lesson
#define MESH_CA_DAYS    1              // that a workload's certificate is good for
#define MESH_CA_NAMES   500            // bytes of names
#define MESH_CA_RENEW_S 3600 // seconds before its end in which a certificate is replaced

// Makes NAME.pem and NAME-key.pem in the folder, with the names that are given as OpenSSL
// writes them ("URI:spiffe://workbench.test/stock,DNS:stock"), and ca.pem before, if it is
// missing. The files are replaced at once, so no reader sees half of one. Dies with the reason
// if it cannot.
void mesh_ca_issue(const char *folder, const char *name, const char *names);

// The usual names of a service: its identity, and DNS:NAME for those who look at that.
void mesh_ca_issue_service(const char *folder, const char *domain, const char *name);

// True if a good certificate for the service is there that does not end within MESH_CA_RENEW_S.
bool mesh_ca_has(const char *folder, const char *name);

#endif
