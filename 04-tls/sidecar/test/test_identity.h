// test_identity.h: whose certificate is it? (What the handshake does with it is in the scene
// identity.)
#ifndef TEST_IDENTITY_H
#define TEST_IDENTITY_H

#include <openssl/pem.h>

#include "identity.h"
#include "mesh.h"
#include "mesh_ca.h"

// The identity in a certificate with these names; "" if it has none.
static const char *identity_with(const char *names)
{
    static char name[LINK_PEER];
    char path[2 * MESH_PATH];
    const char *why;
    mesh_ca_issue(mesh_path("keys"), "one", names);
    snprintf(path, sizeof path, "%s/one.pem", mesh_path("keys"));
    FILE *file = fopen(path, "re");
    X509 *certificate = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    if (file)
        fclose(file);
    CHECK(certificate != NULL);
    bool good = certificate && identity_of(certificate, "workbench.test", name, &why);
    CHECK_INT(good, name[0] != '\0');
    X509_free(certificate);
    return name;
}

TEST(identities)
{
    skip_if_alone();
    mesh_begin();
    static const char *const good[] = {
        "URI:spiffe://workbench.test/stock", "URI:spiffe://workbench.test/ns/a/sa/b-1_x.y",
        "URI:spiffe://workbench.test/stock,DNS:stock,IP:127.0.0.1"};
    static const char *const bad[] = {
        "",
        "DNS:stock",
        "URI:spiffe://workbench.test",
        "URI:spiffe://workbench.test/",
        "URI:spiffe://workbench.test/a/",
        "URI:spiffe://workbench.test/a//b",
        "URI:spiffe://workbench.test/../stock",
        "URI:spiffe://workbench.test/stock?x",
        "URI:spiffe://workbench.testing/stock",
        "URI:spiffe://elsewhere.test/stock",
        "URI:https://workbench.test/stock",
        "URI:spiffe://workbench.test/a,URI:spiffe://workbench.test/b"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        CHECK_HAS(identity_with(good[i]), "spiffe://workbench.test/");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_TEXT(identity_with(bad[i]), "");
    mesh_end();
}

// SIGHUP with files that cannot be used: the sidecar goes on with those that it has.
TEST(bad_certificates_are_not_taken)
{
    skip_if_alone();
    mesh_begin();
    struct pod *shop = pod_new("shop"), *stock = pod_start("stock");
    pod_start_sidecar(shop, NULL);
    mesh_write_services();
    CHECK_INT(mesh_status(shop, "GET", "stock", "/"), 200);
    mesh_ca_issue(mesh_path("keys"), "stock", "URI:spiffe://elsewhere.test/stock");
    kill(stock->sidecar, SIGHUP);
    sleep_ms(100);
    pod_stop_sidecar(shop); // its connections with it
    pod_start_sidecar(shop, NULL);
    CHECK_INT(mesh_status(shop, "GET", "stock", "/"), 200);
    CHECK_INT(pod_stop_sidecar(stock), 0);
    mesh_end();
}

#endif
