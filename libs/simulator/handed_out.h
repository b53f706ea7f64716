// Memory of a struct that a callback hands out, made to show what a caller must not do.
//
//   while the callback runs    | the struct | guardBytes × 0xA5 |     reading past the struct's end is plain to see
//   afterwards                 | 0xDD …     | guardBytes × 0xA5 |     and so is keeping the pointer
//
// Under AddressSanitizer the guard may not be read at all.
#pragma once
#include <cstddef>
#include <cstring>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, bytes)
#define ASAN_UNPOISON_MEMORY_REGION(address, bytes)
#endif

namespace sim {

inline constexpr size_t guardBytes = 64;
inline constexpr int guardPattern = 0xA5;
inline constexpr int expiredPattern = 0xDD;

template <typename Struct>
class HandedOut {
public:
    HandedOut() {
        std::memset(bytes_ + sizeof(Struct), guardPattern, guardBytes);
        ASAN_POISON_MEMORY_REGION(bytes_ + sizeof(Struct), guardBytes);
    }
    ~HandedOut() { ASAN_UNPOISON_MEMORY_REGION(bytes_ + sizeof(Struct), guardBytes); }
    HandedOut(const HandedOut&) = delete;
    HandedOut& operator=(const HandedOut&) = delete;

    /** The struct with every byte zero. */
    Struct& fresh() {
        std::memset(bytes_, 0, sizeof(Struct));
        return *reinterpret_cast<Struct*>(bytes_);
    }
    void expire() { std::memset(bytes_, expiredPattern, sizeof(Struct)); }

private:
    alignas(8) unsigned char bytes_[sizeof(Struct) + guardBytes];
};

}  // namespace sim
