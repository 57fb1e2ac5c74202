/* What the loader asks a library before it trusts it. */
#include "kernels.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

/* SHA-256 of the sources that this library was compiled from, in hexadecimal digits. */
EXPORT const char *rawback_sources(void) { return RAWBACK_SOURCES; }

/* The processor's level: 0 baseline, 1 with AVX2, 2 with AVX-512 (on x86-64 the levels v2 to v4 of
   its ABI); -1 if it is below all. */
KERNEL rawback_processor_level(void) {
#if defined(__x86_64__)
    unsigned eax, ebx, ecx, edx;
    /* SSE3, SSSE3, CMPXCHG16B, SSE4.1, SSE4.2, POPCNT */
    const unsigned sse = 1u << 0 | 1u << 9 | 1u << 13 | 1u << 19 | 1u << 20 | 1u << 23;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || (ecx & sse) != sse) return -1;
    /* FMA, MOVBE, OSXSAVE, AVX, F16C */
    const unsigned avx = 1u << 12 | 1u << 22 | 1u << 27 | 1u << 28 | 1u << 29;
    if ((ecx & avx) != avx) return 0;
    if (!__get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx) || !(ecx & 1u << 5)) return 0; /* LZCNT */
    /* BMI1, AVX2, BMI2; AVX-512 F, DQ, CD, BW, VL */
    const unsigned avx2 = 1u << 3 | 1u << 5 | 1u << 8;
    const unsigned avx512 = 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31;
    if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) || (ebx & avx2) != avx2) return 0;
    unsigned low, high; /* what registers the system saves when it changes threads */
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    if ((low & 0x06) != 0x06) return 0;
    return (ebx & avx512) == avx512 && (low & 0xe6) == 0xe6 ? 2 : 1;
#else
    return 0;
#endif
}
