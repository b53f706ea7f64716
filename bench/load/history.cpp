#include "history.h"

namespace load {

void History::take(int64_t sequence, HistoryTotals& totals) {
    ++totals.received;
    if (last_ < 0) {
        base_ = last_ = sequence;
    } else if (sequence == last_ + 1) {
        last_ = sequence;
    } else if (sequence > last_) {
        gaps_.push_back({last_ + 1, sequence});
        totals.missing += static_cast<uint64_t>(sequence - last_ - 1);
        last_ = sequence;
    } else if (sequence < base_) {
        ++totals.stale;
    } else if (fill(sequence)) {
        --totals.missing;
        ++totals.late;
    } else {
        ++totals.repeated;
    }
}

/** True when the number was missing; it is not any more. */
bool History::fill(int64_t sequence) {
    for (auto gap = gaps_.begin(); gap != gaps_.end(); ++gap) {
        if (sequence < gap->begin || sequence >= gap->end) continue;
        const Gap rest{sequence + 1, gap->end};
        gap->end = sequence;
        const bool before = gap->begin < gap->end;
        if (rest.begin < rest.end) {
            if (before) gaps_.insert(gap + 1, rest);
            else *gap = rest;
        } else if (!before) {
            gaps_.erase(gap);
        }
        return true;
    }
    return false;
}

}  // namespace load
