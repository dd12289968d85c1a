// forge_tool.c: prints the tokens of scene attacks, for the peers of interop.sh: a name and a
// token in each line.
//
// Run:    build/forge_tool KEYS HIS_KEYS PUBLIC_SET
#include <stdio.h>
#include <string.h>

#include "forgeries.h"
#include "net.h"

int main(int argc, char **argv)
{
    static char text[KEYS_FILE_BYTES];
    const struct forgery *forgery;
    const char *token;
    if (argc != 4)
        die("it takes three files: the server's keys, other keys, the server's public keys");
    FILE *file = fopen(argv[3], "re");
    if (!file || !fread(text, 1, sizeof text - 1, file))
        die("cannot read %s", argv[3]);
    fclose(file);
    forgeries_begin(argv[1], argv[2], text);
    for (int i = 0; (forgery = forgery_make(i, &token)); i++)
        printf("%s\t%s\n", forgery->name, token);
    forgeries_end();
    return 0;
}
