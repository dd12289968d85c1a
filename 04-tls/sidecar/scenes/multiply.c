// multiply.c: scene multiply: shop asks stock, stock asks price, and price is down. Each
// sidecar may try three times. How often is price asked?
#include <stdio.h>

#include "claim.h"
#include "mesh.h"
#include "scenes.h"
#include "story.h"

#define QUESTIONS 4 // few enough for the budgets

static const struct claim once = {
    "4.67", "ch. 18.5", "(ours) the tries of several hops are not multiplied", HOLDS, NULL};

void scene_multiply(void)
{
    scene_check_server();
    mesh_begin();
    struct pod *shop = pod_new("shop"), *stock = pod_new("stock"), *price = pod_new("price");
    pod_start_app(stock, "--calls", "price", NULL);
    pod_start_sidecar(price, NULL); // without its app
    pod_start_sidecar(stock, "--backoff-ms", "5", "--breaker", "0", NULL);
    pod_start_sidecar(shop, "--backoff-ms", "5", "--breaker", "0", NULL);
    mesh_write_services();
    story_say("shop asks stock, stock asks price; the app of price is not there. stock answers "
              "503 then, as an app of its kind does. %d questions:",
              QUESTIONS);
    int status = 0;
    for (int i = 0; i < QUESTIONS; i++)
        status = mesh_status(shop, "GET", "stock", "/?status=503");
    double price_asked = mesh_metric(
        price, "sidecar_requests_total{direction=\"inbound\",peer=\"stock\",code=\"5xx\"}");
    double stock_asked = mesh_metric(
        stock, "sidecar_requests_total{direction=\"inbound\",peer=\"shop\",code=\"5xx\"}");
    story_head("the sidecar of|is asked, for each question");
    story_row("stock|%.1f times", stock_asked / QUESTIONS);
    story_row("price|%.1f times", price_asked / QUESTIONS);
    story_say("Only the hop that fails tries again: what an app has answered passes as it is.");
    claim_report(
        &once,
        holds_if(status == 503 && stock_asked == QUESTIONS && price_asked == 3 * QUESTIONS),
        "price was asked %.1f times for each question; 9 if both hops tried three times",
        price_asked / QUESTIONS);
    mesh_end();
}
