// huffman.c: see huffman.h.
//
// The code is canonical: codes are given out in the order of their length, among those of one
// length in the order of their symbols, and each is the one before plus one. So the lengths say
// everything, and the rest of Appendix B is computed from them by huffman_begin().
#include "huffman.h"

#include <stdbool.h>

#define SYMBOLS     257 // 256 bytes, and EOS
#define EOS         256
#define BITS_MIN    5
#define BITS_MAX    30
#define PREFIX_BITS 8 // the first bits of a code: enough for the symbols that are frequent

// RFC 7541 Appendix B: how many bits each symbol takes.
static const uint8_t code_bits[SYMBOLS] = {
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28,
    30, 28, 28, 28, 28, 28, 28, 28, 28, 28, 6,  10, 10, 12, 13, 6,  8,  11, 10, 10, 8,  11,
    8,  6,  6,  6,  5,  5,  5,  6,  6,  6,  6,  6,  6,  6,  7,  8,  15, 6,  12, 10, 13, 6,
    7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,
    8,  7,  8,  13, 19, 13, 14, 6,  15, 5,  6,  5,  6,  5,  6,  6,  6,  5,  7,  7,  6,  6,
    6,  5,  6,  7,  6,  5,  5,  6,  7,  7,  7,  7,  7,  15, 11, 14, 13, 28, 20, 22, 20, 20,
    22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21,
    22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23,
    22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26,
    28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27,
    26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
};

static uint32_t code_of[SYMBOLS];

// For the decoder. Codes of one length are neighbours: with a code put to the left of 32 bits,
// `limit[bits]` is the first value that is not a code of so many bits or fewer.
static uint64_t limit[BITS_MAX + 1];
static uint32_t first_code[BITS_MAX + 1];
static uint16_t first_index[BITS_MAX + 1];
static uint16_t symbol_at[SYMBOLS];              // all symbols in the order of their codes
static uint8_t bits_of_prefix[1 << PREFIX_BITS]; // length, where the first bits decide; else 0

void huffman_begin(void)
{
    if (bits_of_prefix[0])
        return;
    uint32_t code = 0;
    uint16_t index = 0;
    for (int bits = BITS_MIN; bits <= BITS_MAX; bits++) {
        code <<= 1;
        first_code[bits] = code;
        first_index[bits] = index;
        for (uint16_t symbol = 0; symbol < SYMBOLS; symbol++)
            if (code_bits[symbol] == bits) {
                code_of[symbol] = code++;
                symbol_at[index++] = symbol;
            }
        limit[bits] = (uint64_t)code << (32 - bits);
    }
    for (uint32_t prefix = 0; prefix < 1 << PREFIX_BITS; prefix++)
        for (uint8_t bits = PREFIX_BITS; bits >= BITS_MIN; bits--)
            if ((uint64_t)prefix << (32 - PREFIX_BITS) < limit[bits])
                bits_of_prefix[prefix] = bits;
}

size_t huffman_size(const char *text, size_t length)
{
    size_t bits = 0;
    for (size_t i = 0; i < length; i++)
        bits += code_bits[(uint8_t)text[i]];
    return (bits + 7) / 8;
}

uint8_t *huffman_encode(uint8_t *out, const char *text, size_t length)
{
    uint64_t bits = 0; // the last `count` of them are not written yet
    unsigned count = 0;
    for (size_t i = 0; i < length; i++) {
        uint8_t symbol = (uint8_t)text[i];
        bits = bits << code_bits[symbol] | code_of[symbol];
        for (count += code_bits[symbol]; count >= 8; count -= 8)
            *out++ = (uint8_t)(bits >> (count - 8));
    }
    if (count) // the rest of the last byte: the first bits of EOS, which are all ones
        *out++ = (uint8_t)(bits << (8 - count) | 0xff >> count);
    return out;
}

// The length of the code that `window` begins with.
static unsigned length_of(uint32_t window)
{
    unsigned bits = bits_of_prefix[window >> (32 - PREFIX_BITS)];
    if (bits == 0)
        for (bits = PREFIX_BITS + 1; window >= limit[bits]; bits++)
            ;
    return bits;
}

ssize_t huffman_decode(const uint8_t *code, size_t length, char *text, size_t max)
{
    uint64_t bits = 0; // the first `count` of its 64 are there; behind them are zeros
    unsigned count = 0;
    size_t next = 0, decoded = 0;
    for (;;) {
        for (; count <= 56 && next < length; count += 8)
            bits |= (uint64_t)code[next++] << (56 - count);
        if (count < BITS_MIN)
            break;
        uint32_t window = (uint32_t)(bits >> 32);
        unsigned taken = length_of(window);
        if (taken > count)
            break; // not a whole code any more
        unsigned symbol =
            symbol_at[first_index[taken] + (window >> (32 - taken)) - first_code[taken]];
        if (symbol == EOS)
            return HUFFMAN_BAD;
        if (decoded == max)
            return HUFFMAN_TOO_LONG;
        text[decoded++] = (char)symbol;
        bits <<= taken;
        count -= taken;
    }
    // What is left must be padding: fewer than eight bits, all of them ones.
    bool ones = count == 0 || bits >> (64 - count) == (UINT64_C(1) << count) - 1;
    if (count >= 8 || !ones)
        return HUFFMAN_BAD;
    return (ssize_t)decoded;
}
