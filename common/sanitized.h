// sanitized.h: whether this program was built with a sanitizer, which takes memory and time.
#ifndef SANITIZED_H
#define SANITIZED_H

#ifndef __has_feature
#define __has_feature(name) 0 // clang's way to ask; gcc has macros
#endif

#if defined __SANITIZE_THREAD__ || __has_feature(thread_sanitizer)
#define THREAD_SANITIZED true
#else
#define THREAD_SANITIZED false
#endif

#if defined __SANITIZE_ADDRESS__ || __has_feature(address_sanitizer)
#define SANITIZED true
#else
#define SANITIZED THREAD_SANITIZED
#endif

#endif
