// When one instrument ticks: a pure function of (seed, instrument) and of the settings, so that everyone agrees who
// asks, whenever he begins to.
//
// Arrivals within the open hours come in one of three ways, at the same mean rate:
//   uniform  one in each period, at a hashed offset
//   burst    one in each period, within its first ten milliseconds: all instruments together
//   poisson  independent of each other: exponential gaps, drawn again from the beginning of each block of periods,
//            which is what makes them accessible at random without changing their distribution
// Periods and blocks are counted since the epoch. To these come a day's special ticks outside the open hours: the
// opening auction, each session's end, the close price and the settlement price.
//
// Times are in µs since the epoch. A bench run begins at an instant before which nothing ticks, and numbers each
// instrument's ticks from 1 on.
#pragma once
#include <cstdint>

#include "market_hours.h"

namespace sim {

enum class Arrivals { uniform, poisson, burst };

/** One arrival; `block` and `number` lead to the next one. */
struct Arrival {
    int64_t us;
    int64_t block;
    int32_t number;
    int64_t sequence;   // in a bench run; else 0
};

/** What the schedule keeps of one instrument. */
struct ScheduledLine {
    uint64_t key;
    InstrumentHours hours;
    Arrival known{-1, 0, 0, 0};   // some arrival of a bench run, to count on from
};

class Schedule {
public:
    /** `benchStartUs` is negative where there is no bench run. */
    Schedule(Arrivals arrivals, double ticksPerSecond, int64_t benchStartUs);

    /** `ticksPerSecond` of each instrument, at most 1000. False when that changes nothing. */
    bool setRate(double ticksPerSecond);

    int64_t periodUs() const { return periodUs_; }
    bool isBench() const { return benchStartUs_ >= 0; }
    int64_t benchStartUs() const { return benchStartUs_; }

    /** The first open arrival after `us`. */
    Arrival firstAfter(ScheduledLine& line, int64_t us, MarketHours& hours) const;

    /** The first open arrival after another one. */
    Arrival after(ScheduledLine& line, const Arrival& arrival, MarketHours& hours) const;

    /** The last open arrival that is neither after `us` nor before `floorUs`; false when there is none. */
    bool latest(ScheduledLine& line, int64_t us, int64_t floorUs, MarketHours& hours, Arrival& found) const;

private:
    Arrival start(const ScheduledLine& line, int64_t block) const;
    Arrival following(const ScheduledLine& line, const Arrival& arrival) const;
    bool newest(ScheduledLine& line, int64_t us, Arrival& found) const;
    Arrival firstOfAll(const ScheduledLine& line) const;
    Arrival skipClosed(ScheduledLine& line, Arrival arrival, MarketHours& hours) const;

    Arrivals arrivals_;
    int64_t benchStartUs_;
    int64_t periodUs_ = 0;
    int64_t blockUs_ = 0;    // poisson
    int64_t windowUs_ = 0;   // uniform, burst
};

/** The special tick, in ms, that comes first after `step` (or last up to `step`). There are none where it is always open. */
int64_t specialAfter(const ScheduledLine& line, int64_t step, MarketHours& hours);
int64_t specialUntil(const ScheduledLine& line, int64_t step, MarketHours& hours);

/** When a day's close price and, after it, its settlement price are published, in ms. */
int64_t closePublished(uint64_t key, const TradingDaySessions& day);
int64_t settlementPublished(uint64_t key, const TradingDaySessions& day);

}  // namespace sim
