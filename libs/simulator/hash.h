// Stateless randomness: every random number of the tick model is a hash of what it belongs to.
#pragma once
#include <cstddef>
#include <cstdint>

namespace sim {

/** splitmix64's finaliser: every output bit depends on every input bit. */
inline constexpr uint64_t mix(uint64_t x) {
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

inline constexpr uint64_t hashOf(uint64_t key, uint64_t salt, int64_t index) {
    return mix(key ^ mix(salt ^ mix(static_cast<uint64_t>(index))));
}

/** Uniform in [0, 1). */
inline constexpr double unit(uint64_t hash) {
    return static_cast<double>(hash >> 11) * 0x1p-53;
}

/** FNV-1a over the characters of an id. */
inline constexpr uint64_t hashText(const char* text, size_t length) {
    uint64_t hash = 0xcbf29ce484222325ULL;
    for (size_t i = 0; i < length; ++i) {
        hash = (hash ^ static_cast<unsigned char>(text[i])) * 0x100000001b3ULL;
    }
    return hash;
}

}  // namespace sim
