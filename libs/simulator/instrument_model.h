// The tick model of one instrument: a tick is a pure function of (seed, instrument id, step).
//
// A trading day's open time is counted in market minutes (market_hours.h), which stand still in breaks. Sixty of them
// form a block, and a minute is divided into cells of half a second. On each of the three levels there are prices at
// the two ends (a sum of value-noise octaves from one minute to thirty days), a highest and a lowest price, and a
// volume; a cell has one trade price. A block's extremes are traded in two of its minutes, and a minute's in two of its
// cells, so the day's highest price is the maximum over the completed blocks, the completed minutes of the current
// block, and the cells of the current minute so far: exact, monotone, and reached by a trade. Volumes are monotone
// shares of a block's, turnover follows them at the block's price.
//
// These maxima and sums are kept as a running state. It is only a cache: a step behind it restarts the block or the
// day, a step ahead goes through the blocks and minutes between, at most a day's blocks and a block's minutes, and the
// result is the same either way.
#pragma once
#include <cstdint>

#include "instrument_spec.h"
#include "market_hours.h"
#include "tick.h"

namespace sim {

enum class DateRules { production, simnow };

struct ModelSettings {
    DateRules dates = DateRules::production;
    int levels = depthLevels;      // of the book that are sent
    double limitShare = 0;         // share of an instrument's days on which it stands at its limit for half an hour
};

class InstrumentModel {
public:
    /** `hours` must outlive the model. */
    InstrumentModel(uint64_t seed, InstrumentSpec spec, MarketHours& hours, const InstrumentHours& ownHours,
                    const ModelSettings& settings);

    const InstrumentSpec& spec() const { return spec_; }
    const InstrumentHours& ownHours() const { return ownHours_; }

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
    /** Prices in price ticks throughout. */
    struct Block {
        int32_t index = -1;
        int32_t first, count;            // market minutes
        int64_t firstWall;               // minute since the epoch of the first one
        int32_t open, close;
        int32_t highest, lowest;
        int32_t highestMinute, lowestMinute;   // in the block
        int32_t lockedAt;                // the limit that it stands at in its middle, 0 for none
        int64_t volume;
        double lotValue;                 // turnover of one lot
    };
    struct Minute {
        int32_t index = -1;              // market minute
        int64_t wall;                    // minute since the epoch
        int32_t open, close;
        int32_t highest, lowest;
        int highestCell, lowestCell;
        int64_t volumeBefore, volume;    // in the block; in the minute
    };
    struct Totals {
        int32_t highest, lowest;
        int64_t volume;
        double turnover;
    };

    int32_t anchor(int64_t wallMinute);
    int32_t withinLimits(int32_t ticks) const;
    int32_t settlement(int64_t close);
    int64_t wallMinute(int32_t marketMinute) const;
    void startDay(int64_t day);
    void enterBlock(int32_t index);
    void enterMinute(int32_t index);
    int32_t pathPrice(int64_t wallMinute, int32_t boundary);
    int64_t blockVolumeUntil(int32_t boundary) const;
    void seek(int32_t minute, int32_t msOfMinute);
    int32_t cellPrice(int cell) const;
    double cellShare(int cell) const;
    int64_t volumeInMinute(int32_t msOfMinute) const;
    double openInterestAt(int64_t wallMinute) const;
    double price(int32_t ticks) const;
    void fillTrades(int32_t last, int32_t msOfMinute, Tick& tick) const;
    void fillBook(int64_t step, int32_t last, int locked, Tick& tick) const;
    void stamp(int64_t step, int64_t notBefore, Tick& tick) const;

    InstrumentSpec spec_;
    MarketHours& hours_;
    InstrumentHours ownHours_;
    ModelSettings settings_;
    uint64_t key_;
    double baseTicks_;
    double amplitude_;
    double jitterTicks_;
    double lotsPerMinute_;
    double baseOpenInterest_;

    Octave octaves_[octaveCount];
    TradingDaySessions day_{};
    int32_t preSettlement_ = 0, preClose_ = 0, upperLimit_ = 0, lowerLimit_ = 0, open_ = 0;
    double preOpenInterest_ = 0;
    int32_t firstMinute_ = 0;          // market minute in which the day's trading begins
    int32_t limitBlock_ = -1;          // block in whose middle the price stands at `limitPrice_`
    int32_t limitPrice_ = 0;
    Totals blockStart_{};              // of the day before the current block
    Totals minuteStart_{};             // of the day before the current minute; highest and lowest alone
    Block block_{};
    Minute minute_{};
    int cell_ = -1;                    // last cell of the minute that the next two contain
    int32_t cellsHighest_ = 0, cellsLowest_ = 0;
};

}  // namespace sim
