#include "schedule.h"

#include <algorithm>
#include <cmath>

#include "hash.h"
#include "shanghai_time.h"

namespace sim {
namespace {

enum Salt : uint64_t { saltSchedule = 101, saltGap, saltSpecial, saltClose, saltSettlement };

constexpr int64_t usPerMs = 1000;
constexpr int64_t longestPeriodUs = 3600LL * 1000 * 1000;
constexpr int64_t burstWindowUs = 10 * usPerMs;
constexpr int64_t periodsPerBlock = 8;
/** Far more than a block has; a block that had more would end here. */
constexpr int32_t maxPerBlock = 1000;

/** Special ticks come in the second half of their second, and so are never stamped before it. */
int64_t specialOffset(uint64_t key, int64_t second) {
    return 500 + static_cast<int64_t>(hashOf(key, saltSpecial, second) % 500);
}

int64_t withOffset(uint64_t key, int64_t instant) {
    return instant + specialOffset(key, instant);
}

/** The auction, each session's end, the close price and the settlement price. */
constexpr int maxSpecials = maxDaySessions + 4;

/** A day's special ticks in order; how many. */
int specialsOf(const ScheduledLine& line, const TradingDaySessions& day, int64_t out[maxSpecials]) {
    int count = 0;
    out[count++] = withOffset(line.key, day.auction);
    for (int i = 0; i < day.count; ++i) out[count++] = withOffset(line.key, day.sessions[i].end);
    out[count++] = closePublished(line.key, day);
    out[count++] = settlementPublished(line.key, day);
    return count;
}

/** When the exchanges have closed: at 15:15, and later only for products that trade for longer. */
int64_t lastClose(const TradingDaySessions& day) {
    return std::max(day.close(), day.day * msPerDay - shanghaiOffset + 15 * msPerHour + 15 * msPerMinute);
}

}  // namespace

int64_t closePublished(uint64_t key, const TradingDaySessions& day) {
    return lastClose(day) + msPerMinute + static_cast<int64_t>(hashOf(key, saltClose, day.day) % (8 * msPerMinute));
}

int64_t settlementPublished(uint64_t key, const TradingDaySessions& day) {
    const int64_t from = lastClose(day) + 15 * msPerMinute;
    return from + static_cast<int64_t>(hashOf(key, saltSettlement, day.day) % (80 * msPerMinute));
}

int64_t specialAfter(const ScheduledLine& line, int64_t step, MarketHours& hours) {
    if (hours.alwaysOpen()) return INT64_MAX / 2000;
    for (int64_t day = hours.tradingDay(step);; day = hours.tradingDayAfter(day)) {
        int64_t specials[maxSpecials];
        const int count = specialsOf(line, hours.sessions(line.hours, day), specials);
        for (int i = 0; i < count; ++i) {
            if (specials[i] > step) return specials[i];
        }
    }
}

int64_t specialUntil(const ScheduledLine& line, int64_t step, MarketHours& hours) {
    if (hours.alwaysOpen()) return -1;
    for (int64_t day = hours.tradingDay(step);; day = hours.tradingDayBefore(day)) {
        int64_t specials[maxSpecials];
        for (int i = specialsOf(line, hours.sessions(line.hours, day), specials); i-- > 0;) {
            if (specials[i] <= step) return specials[i];
        }
    }
}

Schedule::Schedule(Arrivals arrivals, double ticksPerSecond, int64_t benchStartUs)
    : arrivals_(arrivals), benchStartUs_(benchStartUs) {
    setRate(ticksPerSecond);
}

bool Schedule::setRate(double ticksPerSecond) {
    int64_t period = longestPeriodUs;
    if (ticksPerSecond > 0) {
        const double us = std::round(1e6 / ticksPerSecond);
        period = static_cast<int64_t>(
            std::clamp(us, static_cast<double>(usPerMs), static_cast<double>(longestPeriodUs)));
    }
    if (period == periodUs_) return false;
    periodUs_ = period;
    // Whole ms, so that arrivals of neighbouring blocks never share one.
    blockUs_ = (periodsPerBlock * period + usPerMs - 1) / usPerMs * usPerMs;
    const int64_t window = period - usPerMs + 1;
    windowUs_ = arrivals_ == Arrivals::burst ? std::min(window, burstWindowUs) : window;
    return true;
}

/** The first arrival of a period or block, or of a later block where this one has none. */
Arrival Schedule::start(const ScheduledLine& line, int64_t block) const {
    if (arrivals_ == Arrivals::poisson) return following(line, {block * blockUs_ - 1, block, -1, 0});
    const uint64_t h = hashOf(line.key, saltSchedule, block);
    return {block * periodUs_ + static_cast<int64_t>(h % static_cast<uint64_t>(windowUs_)), block, 0, 0};
}

Arrival Schedule::following(const ScheduledLine& line, const Arrival& arrival) const {
    if (arrivals_ != Arrivals::poisson) {
        Arrival next = start(line, arrival.block + 1);
        next.sequence = arrival.sequence + 1;
        return next;
    }
    Arrival next = arrival;
    for (;;) {
        ++next.number;
        const double u = unit(hashOf(line.key, saltGap, next.block * 1024 + next.number));
        const double gap = -std::log1p(-u) * static_cast<double>(periodUs_);
        // A tick is a function of the ms, so two of them must not share one; in a bench run they are told apart by number.
        const int64_t earliest = isBench() ? next.us + 1 : (next.us + usPerMs) / usPerMs * usPerMs;
        const int64_t us = std::max(next.us + 1 + static_cast<int64_t>(gap), earliest);
        if (us < (next.block + 1) * blockUs_ && next.number < maxPerBlock) {
            next.us = us;
            ++next.sequence;
            return next;
        }
        ++next.block;
        next.number = -1;
        next.us = next.block * blockUs_ - 1;
    }
}

/** The first arrival of a bench run. */
Arrival Schedule::firstOfAll(const ScheduledLine& line) const {
    Arrival first = start(line, benchStartUs_ / (arrivals_ == Arrivals::poisson ? blockUs_ : periodUs_));
    while (first.us < benchStartUs_) first = following(line, first);
    first.sequence = 1;
    return first;
}

/** The last arrival up to `us`, closed hours included; false before the first of a bench run. */
bool Schedule::newest(ScheduledLine& line, int64_t us, Arrival& found) const {
    if (isBench()) {
        const Arrival first = firstOfAll(line);
        if (us < first.us) return false;
        if (arrivals_ == Arrivals::poisson) {
            if (line.known.us < 0 || line.known.us > us) line.known = first;
            for (Arrival next = line.known; next.us <= us; next = following(line, next)) line.known = next;
            found = line.known;
            return true;
        }
        int64_t period = us / periodUs_;
        found = start(line, period);
        while (found.us > us) found = start(line, --period);
        found.sequence = found.block - first.block + 1;
        return true;
    }
    if (arrivals_ != Arrivals::poisson) {
        int64_t period = us / periodUs_;
        found = start(line, period);
        while (found.us > us) found = start(line, --period);
        return true;
    }
    for (int64_t block = us / blockUs_;; --block) {
        Arrival next = start(line, block);
        if (next.us > us) continue;
        do {
            found = next;
            next = following(line, next);
        } while (next.us <= us);
        return true;
    }
}

Arrival Schedule::skipClosed(ScheduledLine& line, Arrival arrival, MarketHours& hours) const {
    if (hours.alwaysOpen()) return arrival;
    for (;;) {
        const int64_t step = arrival.us / usPerMs;
        const int64_t open = hours.openFrom(line.hours, step);
        if (open == step) return arrival;
        Arrival before{};
        arrival = newest(line, open * usPerMs - 1, before) ? following(line, before) : firstOfAll(line);
    }
}

Arrival Schedule::firstAfter(ScheduledLine& line, int64_t us, MarketHours& hours) const {
    Arrival before{};
    return skipClosed(line, newest(line, us, before) ? following(line, before) : firstOfAll(line), hours);
}

Arrival Schedule::after(ScheduledLine& line, const Arrival& arrival, MarketHours& hours) const {
    if (isBench()) line.known = arrival;
    return skipClosed(line, following(line, arrival), hours);
}

bool Schedule::latest(ScheduledLine& line, int64_t us, int64_t floorUs, MarketHours& hours, Arrival& found) const {
    for (;;) {
        if (us < floorUs || !newest(line, us, found) || found.us < floorUs) return false;
        const int64_t step = found.us / usPerMs;
        const int64_t open = hours.openUntil(line.hours, step);
        if (open == step) return true;
        us = open * usPerMs + usPerMs - 1;
    }
}

}  // namespace sim
