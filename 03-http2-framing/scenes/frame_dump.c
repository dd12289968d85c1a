// frame_dump.c: see frame_dump.h.
#include "frame_dump.h"

#include <stdio.h>

#include "frame_names.h"
#include "text.h"

#define ROW_BYTES    20 // of a payload, in a line of 100 columns
#define ROW_NARROW   16 // in one that is shorter
#define WORDS        70 // columns for what a frame says
#define INDENT       30 // columns before that
#define PIECE_BYTES  10 // of a header block's piece
#define PIECE_WORDS  32 // columns for its field
#define PIECE_NARROW 21 // in a line of less than 100 columns

// ---- frames --------------------------------------------------------------------------------

static const char *arrow(bool to_server)
{
    return to_server ? "──▶" : "◀──";
}

static void print_hex(const uint8_t *bytes, size_t length, const char *between)
{
    for (size_t i = 0; i < length; i++)
        printf("%02x%s", bytes[i], i + 1 < length ? between : "");
}

static size_t row_bytes(void)
{
    return text_width() < WIDTH_MAX ? ROW_NARROW : ROW_BYTES;
}

// Bytes, and beside them what of them is text.
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
    printf("  %s%s%s  the preface of %d bytes: no request that HTTP/1.1 would answer\n",
           paint(CYAN), arrow(true), paint(PLAIN), PREFACE_BYTES);
    print_row((const uint8_t *)PREFACE, row_bytes());
    print_row((const uint8_t *)PREFACE + row_bytes(), PREFACE_BYTES - row_bytes());
}

void dump_frame(bool to_server, const struct frame *frame, int lines)
{
    const uint8_t *header = frame->payload - FRAME_HEADER_BYTES;
    const uint8_t *end = frame->payload + frame->length;
    char words[2 * WORDS];
    shorten(frame_describe(frame, words, sizeof words), text_width() - INDENT);
    printf("  %s%s%s  %s", paint(to_server ? CYAN : MAGENTA), arrow(to_server), paint(PLAIN),
           paint(BOLD));
    print_hex(header, 3, "");
    for (int i = 3; i < 5; i++)
        printf(" %02x", header[i]);
    putchar(' ');
    print_hex(header + 5, 4, "");
    printf("%s  %s\n", paint(PLAIN), words);
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

// A string (RFC 7541 §5.2): says how long it is, and steps over it.
static void read_string(const uint8_t **at, const uint8_t *end, char *words, size_t size)
{
    uint32_t length = 0;
    bool huffman = *at < end && (**at & 0x80);
    if (hpack_read_integer(at, end, 7, &length))
        *at += length;
    snprintf(words, size, "%u bytes%s", length, huffman ? " Huffman" : "");
}

static const char *table_of(uint32_t index)
{
    return index <= HPACK_STATIC_ENTRIES ? "static" : "dynamic";
}

// Steps over a representation (§6) and says what it is. True if it is a field.
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
    bool added = first & 0x40;
    hpack_read_integer(at, end, added ? 6 : 4, &index);
    if (index)
        snprintf(name, sizeof name, "name %u", index);
    else
        read_string(at, end, name, sizeof name);
    read_string(at, end, value, sizeof value);
    snprintf(words, size, "%s, %s%s", name, value, added ? ", kept" : "");
    return true;
}

void dump_block(const uint8_t *block, size_t length, const struct hpack_field *fields,
                size_t count)
{
    const uint8_t *at = block, *end = block + length;
    for (size_t i = 0; at < end && i < count;) {
        const uint8_t *start = at;
        char words[80], text[PIECE_WORDS + 1] = "";
        int width = text_width() < WIDTH_MAX ? PIECE_NARROW : PIECE_WORDS;
        if (read_piece(&at, end, words, sizeof words)) {
            snprintf(text, sizeof text, "%.*s: %.*s", (int)fields[i].name_length,
                     fields[i].name, (int)fields[i].value_length, fields[i].value);
            i++;
        }
        make_printable(text);
        size_t shown = (size_t)(at - start),
               cut = shown > PIECE_BYTES ? PIECE_BYTES - 1 : shown;
        printf("  %s", paint(BOLD));
        print_hex(start, cut, " ");
        printf("%s%s", cut < shown ? " .." : "", paint(PLAIN));
        repeat("   ", (int)(PIECE_BYTES - cut) - (cut < shown));
        printf("  %s", paint(GREEN));
        shorten(text, width);
        cell(text, width + 2, false);
        printf("%s%s\n", paint(PLAIN), words);
    }
}
