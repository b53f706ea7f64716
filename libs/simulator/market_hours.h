// When a market is open: the sessions of every trading day, by kind of product.
//
// Two modes. `always`: every instant is open, and a trading day is one session from 20:00 to 20:00; only weekends are
// no trading days. `exchange`: the sessions of the Chinese exchanges with their breaks, auctions and nights, over a
// calendar with holidays; there is no night before a holiday. The trading day switches at 20:00 in both.
//
// Market minutes count a trading day's open minutes from 0 on, so that what grows with trading stands still in breaks.
// Used by one thread; the days last asked for are kept.
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "product.h"

namespace sim {

enum class HoursMode { always, exchange };

/** Start and end are in ms since the epoch; an end is not part of its session. */
struct MarketSession {
    int64_t start;
    int64_t end;
    int32_t firstMinute;   // market minute at `start`
};

struct TradingDaySessions {
    int64_t day = -1;        // days since 1970-01-01
    int64_t begin, end;      // the instants that are accounted to this day
    int64_t closeBefore;     // the last session's end of the trading day before
    int64_t auction;         // when the opening auction's result is sent, to the second; -1 where there is no auction
    int32_t minutes;         // market minutes of the day
    int32_t count;
    MarketSession sessions[maxDaySessions + 1];

    int64_t close() const { return sessions[count - 1].end; }
};

/** Where an instant lies in its trading day. */
struct MarketPoint {
    enum class Phase { beforeOpen, open, afterSession, afterClose };
    Phase phase;
    int32_t minute;        // market minute; after a session its last one
    int32_t msOfMinute;
    int64_t periodStart;   // when the phase began
};

/** When an instrument trades: kinds of hours as MarketHours::kindOf numbers them. */
struct InstrumentHours {
    int usual;
    int onLastDay;
    int64_t lastDay = -1;   // days since 1970-01-01; -1 where it is not known
};

class MarketHours {
public:
    explicit MarketHours(HoursMode mode) : mode_(mode) {}

    bool alwaysOpen() const { return mode_ == HoursMode::always; }

    /** Weekdays without trading, as days since 1970-01-01. To be called before anything is asked. */
    void setHolidays(const int32_t* days, size_t count);

    /** The trading day that an instant is accounted to, as days since 1970-01-01. */
    int64_t tradingDay(int64_t step) const;
    int64_t tradingDayBefore(int64_t day) const;
    int64_t tradingDayAfter(int64_t day) const;

    /** Number of a kind of hours; the same hours have the same number. `before` are those of the trading day before. */
    int kindOf(const TradingHours& hours, const TradingHours& before);

    /** Valid until the next call. */
    const TradingDaySessions& sessions(const InstrumentHours& hours, int64_t day);

    /** The first instant from `step` on that is open. */
    int64_t openFrom(const InstrumentHours& hours, int64_t step);

    /** The last instant up to `step` that is open. */
    int64_t openUntil(const InstrumentHours& hours, int64_t step);

private:
    static constexpr int keptDays = 4;

    struct Kind {
        TradingHours hours;
        TradingHours before;
        TradingDaySessions kept[keptDays];
    };

    bool isTradingDay(int64_t day) const;
    TradingDaySessions make(const Kind& kind, int64_t day) const;

    HoursMode mode_;
    int64_t firstHoliday_ = 0;
    std::vector<bool> holidays_;   // from firstHoliday_ on
    std::deque<Kind> kinds_;
};

MarketPoint locate(const TradingDaySessions& day, int64_t step);

}  // namespace sim
