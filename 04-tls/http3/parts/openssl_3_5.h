// openssl_3_5.h: QUIC on both sides came with OpenSSL 3.5. Before, there was none, or only the
// client's side.
#include <openssl/opensslv.h>

#if OPENSSL_VERSION_NUMBER < 0x30500000L
#error "this needs OpenSSL 3.5"
#endif
