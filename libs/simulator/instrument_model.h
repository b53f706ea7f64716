// The tick model of one instrument: a tick is a pure function of (seed, instrument id, step).
//
// Time is divided into minutes and these into cells of half a second. A minute has two anchor prices (a sum of
// value-noise octaves from one minute to thirty days), one highest and one lowest price, and a volume; a cell
// has one trade price. The minute's extremes are traded in two of its cells, so the day's highest price is the
// maximum over the completed minutes and over the cells of the current minute so far: exact, monotone, and
// reached by a trade. Volume and turnover are sums over completed minutes plus a monotone part of the current.
//
// These sums are kept as a running state. It is only a cache: a step behind it restarts the day, a step far
// ahead folds the minutes between (at most three days of them), and the result is the same either way.
#pragma once
#include <cstdint>

#include "instrument_spec.h"
#include "tick.h"

namespace sim {

class InstrumentModel {
public:
    InstrumentModel(uint64_t seed, InstrumentSpec spec);

    const InstrumentSpec& spec() const { return spec_; }

    /** Random key of (seed, instrument), also for what is built on the model. */
    uint64_t key() const { return key_; }

    /** Fills the tick of a step (ms since the epoch, not negative). */
    void tickAt(int64_t step, Tick& tick);

private:
    static constexpr int octaveCount = 6;

    /** The two nodes of value noise around the minute that was last asked for. */
    struct Octave {
        int64_t begin = INT64_MIN / 2;   // minute of the left node; far from any real one at first
        double left = 0;
        double right = 0;
    };
    struct Minute {
        int64_t index = -1;
        int32_t open, close;       // anchors, in price ticks
        int32_t highest, lowest;   // in price ticks
        int highestCell, lowestCell;
        int32_t volume;
        double lotValue;           // turnover of one lot
    };
    struct Totals {
        int32_t highest, lowest;
        int64_t volume;
        double turnover;
    };

    int32_t anchor(int64_t minute);
    void enterMinute(int64_t index, int32_t open);
    void startDay(int64_t day);
    void seek(int64_t step);
    int32_t cellPrice(int cell) const;
    int64_t volumeInMinute(int64_t msOfMinute) const;
    double cellShare(int cell) const;
    double openInterestAt(int64_t minute) const;
    double price(int32_t ticks) const;
    void fillBook(int64_t step, int32_t last, Tick& tick) const;
    void stamp(int64_t step, Tick& tick) const;

    InstrumentSpec spec_;
    uint64_t key_;
    double baseTicks_;
    double amplitude_;
    double jitterTicks_;
    double lotsPerMinute_;
    double baseOpenInterest_;

    Octave octaves_[octaveCount];
    int64_t day_ = -1;
    int64_t dayStart_ = 0;
    int32_t preSettlement_ = 0, preClose_ = 0, upperLimit_ = 0, lowerLimit_ = 0, open_ = 0;
    double preOpenInterest_ = 0;
    Minute minute_{};
    Totals completed_{};
    int cell_ = -1;                    // last cell of the minute that the next two contain
    int32_t cellsHighest_ = 0, cellsLowest_ = 0;
};

}  // namespace sim
