// frame_dump.c: see frame_dump.h.
#include "frame_dump.h"

#include <stdio.h>
#include <string.h>

#include "frame_names.h"
#include "text.h"

#define ROW_BYTES    20 // bytes of a payload in a line of 100 columns
#define ROW_NARROW   16 // bytes of a payload in a shorter line
#define WORDS        70 // columns for what a frame says
#define INDENT       30 // columns in front of that
#define PIECE_BYTES  10 // bytes that are shown of a piece of a header block
#define PIECE_WORDS  32 // columns for its field
#define PIECE_NARROW 20 // columns for its field in a line of less than 100 columns

// ---- frames --------------------------------------------------------------------------------

static bool is_narrow(void)
{
    return text_width() < WIDTH_MAX;
}

static void print_arrow(bool to_server)
{
    if (to_server)
        printf("  %s──▶%s  ", paint(CYAN), paint(PLAIN));
    else
        printf("  %s◀──%s  ", paint(MAGENTA), paint(PLAIN));
}

static void print_hex(const uint8_t *bytes, size_t length, const char *between)
{
    for (size_t i = 0; i < length; i++) {
        if (i > 0)
            fputs(between, stdout);
        printf("%02x", bytes[i]);
    }
}

static size_t row_bytes(void)
{
    if (is_narrow())
        return ROW_NARROW;
    return ROW_BYTES;
}

// Prints bytes, and beside them the characters that they stand for.
static void print_row(const uint8_t *bytes, size_t length)
{
    printf("       %s", paint(DIM));
    print_hex(bytes, length, " ");
    repeat("   ", (int)(row_bytes() - length));
    fputs("  ", stdout);
    for (size_t i = 0; i < length; i++)
        putchar(bytes[i] >= ' ' && bytes[i] < 127 ? bytes[i] : '.');
    printf("%s\n", paint(PLAIN));
}

void dump_beginning(void)
{
    printf("%s       length ty fl stream    in words%s\n", paint(BOLD), paint(PLAIN));
    print_arrow(true);
    printf("the preface of %d bytes: no request that HTTP/1.1 would answer\n", PREFACE_BYTES);
    print_row((const uint8_t *)PREFACE, row_bytes());
    print_row((const uint8_t *)PREFACE + row_bytes(), PREFACE_BYTES - row_bytes());
}

// Prints words, on several lines if they are too long for one.
static void print_words(const char *words)
{
    int width = text_width() - INDENT, length = (int)strlen(words);
    while (length > width) {
        int cut = width;
        while (cut > 1 && words[cut] != ' ')
            cut--;
        printf("%.*s\n%*s", cut, words, INDENT, "");
        words += cut;
        length -= cut;
        if (*words == ' ') {
            words++;
            length--;
        }
    }
    printf("%s\n", words);
}

void dump_frame(bool to_server, const struct frame *frame, int lines)
{
    const uint8_t *header = frame->payload - FRAME_HEADER_BYTES;
    const uint8_t *end = frame->payload + frame->length;
    char words[2 * WORDS];
    frame_describe(frame, words, sizeof words);
    print_arrow(to_server);
    fputs(paint(BOLD), stdout);
    print_hex(header, 3, "");
    for (int i = 3; i < 5; i++)
        printf(" %02x", header[i]);
    putchar(' ');
    print_hex(header + 5, 4, "");
    printf("%s  ", paint(PLAIN));
    print_words(words);
    for (const uint8_t *row = frame->payload; row < end && lines > 0; lines--) {
        size_t length = (size_t)(end - row);
        if (length > row_bytes())
            length = row_bytes();
        print_row(row, length);
        row += length;
    }
}

void dump_field(const struct hpack_field *field)
{
    char text[WORDS + 1];
    snprintf(text, sizeof text, "%.*s: %.*s", (int)field->name_length, field->name,
             (int)field->value_length, field->value);
    make_printable(text);
    shorten(text, text_width() - INDENT);
    printf("%*s%s%s%s\n", INDENT, "", paint(GREEN), text, paint(PLAIN));
}

// ---- header blocks -------------------------------------------------------------------------

// Steps over a string (RFC 7541 §5.2). Writes to `words` how long it is.
static void read_string(const uint8_t **at, const uint8_t *end, char *words, size_t size)
{
    uint32_t length = 0;
    bool huffman = *at < end && (**at & 0x80);
    if (hpack_read_integer(at, end, 7, &length))
        *at += length;
    if (huffman && is_narrow())
        snprintf(words, size, "%u Huffman", length);
    else if (huffman)
        snprintf(words, size, "%u bytes Huffman", length);
    else
        snprintf(words, size, "%u bytes", length);
}

static const char *table_of(uint32_t index)
{
    if (index <= HPACK_STATIC_ENTRIES)
        return "static";
    return "dynamic";
}

// Steps over one piece of a header block (§6). Writes to `words` what it is. True: it is a
// field.
static bool read_piece(const uint8_t **at, const uint8_t *end, char *words, size_t size)
{
    uint8_t first = **at;
    uint32_t index = 0;
    char name[32], value[32];
    if (first & 0x80) {
        hpack_read_integer(at, end, 7, &index);
        snprintf(words, size, "%s entry %u", table_of(index), index);
        return true;
    }
    if ((first & 0xe0) == 0x20) {
        hpack_read_integer(at, end, 5, &index);
        snprintf(words, size, "the table's size: %u", index);
        return false;
    }
    const char *kept = ""; // whether the field is put into the dynamic table
    if (first & 0x40) {
        kept = ", kept";
        hpack_read_integer(at, end, 6, &index);
    } else {
        hpack_read_integer(at, end, 4, &index);
    }
    if (index)
        snprintf(name, sizeof name, "name %u", index);
    else
        read_string(at, end, name, sizeof name);
    read_string(at, end, value, sizeof value);
    snprintf(words, size, "%s, %s%s", name, value, kept);
    return true;
}

void dump_block(const uint8_t *block, size_t length, const struct hpack_field *fields,
                size_t count)
{
    const uint8_t *at = block, *end = block + length;
    for (size_t i = 0; at < end && i < count;) {
        const uint8_t *start = at;
        char words[80], text[PIECE_WORDS + 1] = "";
        int width = PIECE_WORDS;
        if (is_narrow())
            width = PIECE_NARROW;
        if (read_piece(&at, end, words, sizeof words)) {
            snprintf(text, sizeof text, "%.*s: %.*s", (int)fields[i].name_length,
                     fields[i].name, (int)fields[i].value_length, fields[i].value);
            i++;
        }
        make_printable(text);
        size_t length_here = (size_t)(at - start);
        printf("  %s", paint(BOLD));
        if (length_here > PIECE_BYTES) {
            print_hex(start, PIECE_BYTES - 1, " ");
            fputs(" ..", stdout);
        } else {
            print_hex(start, length_here, " ");
            repeat("   ", (int)(PIECE_BYTES - length_here));
        }
        printf("%s  %s", paint(PLAIN), paint(GREEN));
        shorten(text, width);
        cell(text, width + 2, false);
        printf("%s%s\n", paint(PLAIN), words);
    }
}
