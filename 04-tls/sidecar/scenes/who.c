// who.c: scene identity: five clients knock at the port for other sidecars. Then a service that
// is another one than it should be.
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "mesh.h"
#include "mesh_ca.h"
#include "scenes.h"
#include "story.h"
#include "stranger.h"

#define DOMAIN "workbench.test"

static const struct claim strangers = {
    "4.23", "ch. 18.5", "mutual TLS (automatic encryption): strangers are refused", HOLDS,
    NULL};
static const struct claim wrong_server = {
    "4.72", "ch. 18.5", "(ours) who answers is checked by name, not only by the mesh's CA",
    HOLDS, NULL};

static const struct knock {
    const char *what, *folder, *name;
    int status; // what it should get; 0: the handshake is refused
} knocks[] = {
    {"no certificate", "keys", NULL, 0},
    {"shop, signed by a stranger's CA", "stranger", "shop", 0},
    {"two names in one certificate", "keys", "twofold", 0},
    {"no name of this mesh", "keys", "elsewhere", 0},
    {"billing, who is not on the list", "keys", "billing", 403},
    {"shop, who is on the list", "keys", "shop", 200},
};
#define KNOCKS (int)(sizeof knocks / sizeof *knocks)

void scene_identity(void)
{
    char keys[MESH_PATH], folder[MESH_PATH], text[300];
    scene_check_server();
    mesh_begin();
    snprintf(keys, sizeof keys, "%s", mesh_path("keys"));
    struct pod *shop = pod_new("shop"), *stock = pod_new("stock"), *price = pod_start("price");
    pod_start_app(stock, NULL);
    pod_start_sidecar(stock, "--allow", "shop", NULL);
    pod_start_sidecar(shop, "--tries", "1", NULL);
    mesh_write_services();
    mesh_ca_issue_service(keys, DOMAIN, "billing");
    mesh_ca_issue_service(mesh_path("stranger"), DOMAIN, "shop");
    mesh_ca_issue(keys, "twofold",
                  "URI:spiffe://" DOMAIN "/shop,URI:spiffe://" DOMAIN "/admin");
    mesh_ca_issue(keys, "elsewhere", "URI:spiffe://elsewhere.test/shop");

    story_say("Only \"shop\" may ask \"stock\" (--allow shop). Six clients try, without a "
              "sidecar of their own:");
    story_head("the certificate|handshake|request");
    int as_expected = 0;
    for (int i = 0; i < KNOCKS; i++) {
        const struct knock *knock = &knocks[i];
        snprintf(folder, sizeof folder, "%s", mesh_path(knock->folder));
        struct stranger stranger =
            stranger_ask(stock->address, MESH_INBOUND, keys, folder, knock->name);
        if (stranger.alert >= 0)
            story_row("%s|refused: alert %d|-", knock->what, stranger.alert);
        else
            story_row("%s|done|%d", knock->what, stranger.status);
        bool refused = stranger.alert >= 0 && stranger.status == 0;
        if (knock->status)
            as_expected += stranger.status == knock->status;
        else
            as_expected += refused;
    }
    long asked = mesh_count(stock);
    story_say("The alerts are 116 (a certificate is required), 48 (unknown CA) and 42 (bad "
              "certificate). The app has got %ld request.",
              asked);

    story_say("Now the file of services has a wrong line: at the address of \"stock\" is "
              "\"price\", which has a good certificate, too:");
    snprintf(text, sizeof text, "stock %s:%d\nend\n", price->address, MESH_INBOUND);
    pod_stop_sidecar(shop);
    mesh_write_file("services", text);
    pod_start_sidecar(shop, "--tries", "1", NULL);
    struct mesh_answer *answer = mesh_ask(shop, "GET", "stock", "/", "");
    int status = answer->status;
    story_say("shop gets: %d %.*s", status, (int)strcspn(answer->text, "\n"), answer->text);
    long misled = mesh_count(price);
    claim_report(&strangers, holds_if(as_expected == KNOCKS && asked == 1),
                 "%d of %d clients were treated as they should be; the app got %ld request",
                 as_expected, KNOCKS, asked);
    claim_report(&wrong_server, holds_if(status == 503 && misled == 0),
                 "the request was not sent: %d, and the wrong app got %ld requests", status,
                 misled);
    mesh_end();
}
