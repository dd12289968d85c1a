// mesh_ca.c: see mesh_ca.h. Read mesh_ca_issue() first.
#include "mesh_ca.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "net.h"
#include "pair.h"

#define CA_DAYS 3650
#define A_DAY   86400L
#define AN_HOUR 3600L

static struct certificate_files files_of(const char *folder, const char *name)
{
    struct certificate_files files;
    snprintf(files.chain, CERTIFICATE_PATH, "%s/%s.pem", folder, name);
    snprintf(files.key, CERTIFICATE_PATH, "%s/%s-key.pem", folder, name);
    return files;
}

// Makes the folder around this one, which may be missing, too: keys/ of keys/mesh.
static void make_parent(const char *folder)
{
    char path[CERTIFICATE_PATH];
    snprintf(path, sizeof path, "%s", folder);
    char *slash = strrchr(path, '/');
    if (slash && slash != path) {
        *slash = '\0';
        mkdir(path, 0700); // if this fails, pair_lock() says so
    }
}

static struct pair make_ca(const struct certificate_files *files)
{
    static const struct pair_uses uses = {"critical,CA:TRUE,pathlen:0",
                                          "critical,keyCertSign,cRLSign", NULL};
    struct pair ca = {pair_describe("Workbench Mesh", NULL), EVP_EC_gen("P-256")};
    pair_sign(&ca, NULL, &uses, -AN_HOUR, CA_DAYS * A_DAY);
    pair_write(files, &ca, NULL);
    return ca;
}

// A workload is a server and a client. What it is called is in `names`, not in its subject.
void mesh_ca_issue(const char *folder, const char *name, const char *names)
{
    static const struct pair_uses uses = {"critical,CA:FALSE", "critical,digitalSignature",
                                          "serverAuth,clientAuth"};
    struct certificate_files ca_files = files_of(folder, "ca"), files = files_of(folder, name);
    make_parent(folder);
    int lock_fd = pair_lock(folder);
    struct pair ca = pair_read(&ca_files);
    // A new CA in its place would make strangers of all whom it has signed.
    if (ca.certificate && !ca.key)
        die("%s is missing, or other users can read it: make it secret (chmod 600), or remove "
            "%s, and everybody gets new certificates",
            ca_files.key, folder);
    if (!ca.certificate) {
        pair_free(&ca);
        ca = make_ca(&ca_files);
    }
    if (!*names)
        names = NULL;
    struct pair made = {pair_describe(name, names), EVP_EC_gen("P-256")};
    pair_sign(&made, &ca, &uses, -AN_HOUR, MESH_CA_DAYS * A_DAY);
    pair_write(&files, &made, NULL);
    pair_free(&made);
    pair_free(&ca);
    close(lock_fd);
}

void mesh_ca_issue_service(const char *folder, const char *domain, const char *name)
{
    char names[MESH_CA_NAMES];
    snprintf(names, sizeof names, "URI:spiffe://%s/%s,DNS:%s", domain, name, name);
    mesh_ca_issue(folder, name, names);
}

bool mesh_ca_has(const char *folder, const char *name)
{
    time_t soon = time(NULL) + MESH_CA_RENEW_S;
    struct certificate_files ca_files = files_of(folder, "ca"), files = files_of(folder, name);
    struct pair ca = pair_read(&ca_files), own = pair_read(&files);
    bool good = ca.key && own.certificate && own.key &&
                X509_verify(own.certificate, ca.key) == 1 &&
                X509_check_private_key(own.certificate, own.key) == 1 &&
                X509_cmp_time(X509_get0_notAfter(own.certificate), &soon) > 0;
    pair_free(&ca);
    pair_free(&own);
    ERR_clear_error();
    return good;
}
