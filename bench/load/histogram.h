// A high dynamic range histogram of microseconds: exact below 2,048, then 1,024 buckets per power of two, so a value
// is known to better than 0.1 %. Recording is a few instructions and never allocates.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace load {

class Histogram {
public:
    Histogram();

    /** Values below 0 count as 0, above about 12 days as that. */
    void record(int64_t value);
    void clear();

    uint64_t count() const { return count_; }
    int64_t max() const { return max_; }

    /** The smallest recorded bucket's upper end below which `percent` of the values lie; 0 when there are none. */
    int64_t percentile(double percent) const;

private:
    static constexpr int subBits = 10;                  // 2^subBits buckets per power of two
    static constexpr int64_t largest = (int64_t{1} << 40) - 1;

    static size_t bucketOf(int64_t value);
    static int64_t upperEndOf(size_t bucket);

    std::vector<uint64_t> counts_;
    uint64_t count_ = 0;
    int64_t max_ = 0;
};

}  // namespace load
