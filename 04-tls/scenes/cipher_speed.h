// cipher_speed.h: how fast a cipher encrypts; and how fast AES does it without the instructions
// that the CPU has for it.
#ifndef CIPHER_SPEED_H
#define CIPHER_SPEED_H

#include <openssl/evp.h>
#include <stdbool.h>

#define RECORD_BYTES 16384 // the longest record of TLS

// Encrypts records for a moment. Returns megabytes a second of CPU time.
double cipher_speed(const EVP_CIPHER *cipher);

// Whether the CPU has instructions for AES-GCM that OpenSSL can be told not to use: AES-NI and
// PCLMULQDQ, of x86.
bool cpu_has_aes(void);

// The speed of AES-256-GCM without these instructions. OpenSSL reads $OPENSSL_ia32cap when it
// is loaded, so another process measures it: ./play --aes-speed.
double aes_speed_without_instructions(void);

#endif
