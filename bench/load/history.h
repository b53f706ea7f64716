// What one client has seen of one instrument, judged by the sequence in the stream.
//
// The first number seen is the base: the sequence begins wherever the clock says. From there on every number is
// exactly one of
//   next        last + 1
//   jump        beyond last + 1: the numbers between are missing, until they come late
//   repeated    has been seen before
//   late        was missing: it came after a later one
//   stale       below the base: older than the state that the client began with
// In a stream that may conflate (every client gets the newest state, not every tick), missing numbers are no loss.
// bench/history/historyChecker.ts states the same rules; tests feed both with the same faults.
#pragma once
#include <cstdint>
#include <vector>

namespace load {

struct HistoryTotals {
    uint64_t received = 0;
    uint64_t missing = 0;
    uint64_t repeated = 0;
    uint64_t late = 0;
    uint64_t stale = 0;
};

class History {
public:
    void take(int64_t sequence, HistoryTotals& totals);

    bool silent() const { return last_ < 0; }
    int64_t last() const { return last_; }

private:
    struct Gap {
        int64_t begin, end;
    };
    bool fill(int64_t sequence);

    int64_t base_ = -1;
    int64_t last_ = -1;
    std::vector<Gap> gaps_;
};

}  // namespace load
