// How a function of libc's is replaced by one of this library, which the dynamic loader finds
// first.
#pragma once

#define CODEJAIL_INSTEAD extern "C" __attribute__((visibility("default")))

// As libc declares most of them itself.
#ifdef __GLIBC__
#define CODEJAIL_NOTHROW noexcept
#else
#define CODEJAIL_NOTHROW
#endif
