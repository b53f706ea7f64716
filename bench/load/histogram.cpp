#include "histogram.h"

#include <algorithm>
#include <cmath>

namespace load {

Histogram::Histogram() : counts_(bucketOf(largest) + 1) {}

// Bucket numbers continue without a gap: values of [2^(subBits+k), 2^(subBits+k+1)) share buckets of 2^k values.
size_t Histogram::bucketOf(int64_t value) {
    const int bits = 64 - __builtin_clzll(static_cast<uint64_t>(value) | 1);
    const int shift = std::max(0, bits - subBits - 1);
    return (static_cast<size_t>(shift) << subBits) + static_cast<size_t>(value >> shift);
}

int64_t Histogram::upperEndOf(size_t bucket) {
    const size_t half = size_t{1} << subBits;
    const size_t shift = bucket < 2 * half ? 0 : (bucket >> subBits) - 1;
    const size_t mantissa = bucket - (shift << subBits);
    return static_cast<int64_t>(((mantissa + 1) << shift) - 1);
}

void Histogram::record(int64_t value) {
    const int64_t held = std::clamp<int64_t>(value, 0, largest);
    ++counts_[bucketOf(held)];
    ++count_;
    max_ = std::max(max_, held);
}

void Histogram::clear() {
    std::fill(counts_.begin(), counts_.end(), 0);
    count_ = 0;
    max_ = 0;
}

int64_t Histogram::percentile(double percent) const {
    if (count_ == 0) return 0;
    const auto wanted = std::max<uint64_t>(1, static_cast<uint64_t>(std::ceil(percent / 100 * static_cast<double>(count_))));
    uint64_t seen = 0;
    for (size_t bucket = 0; bucket < counts_.size(); ++bucket) {
        seen += counts_[bucket];
        if (seen >= wanted) return std::min(upperEndOf(bucket), max_);
    }
    return max_;
}

}  // namespace load
