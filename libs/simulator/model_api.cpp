// libqactpmd_model.so: the tick model as a flat C interface for the simulated fronts.
//
// A feed is used by one thread. Ticks come out as whole frames of the wire protocol (wire.h), back to back.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "feed.h"
#include "wire.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

constexpr size_t longestFrame = sim::wire::headerBytes + sizeof(sim::Tick) + sim::maxIdLength;

/** Writes a tick's frame and returns its length. */
size_t writeFrame(const sim::Tick& tick, const std::string& id, uint8_t* out) {
    const uint32_t length = static_cast<uint32_t>(sizeof tick + id.size());
    out[0] = sim::wire::magic0;
    out[1] = sim::wire::magic1;
    out[2] = sim::wire::version;
    out[3] = static_cast<uint8_t>(sim::wire::Type::tick);
    std::memcpy(out + 4, &length, sizeof length);
    std::memcpy(out + sim::wire::headerBytes, &tick, sizeof tick);
    std::memcpy(out + sim::wire::headerBytes + sizeof tick, id.data(), id.size());
    return sim::wire::headerBytes + length;
}

size_t writeEvent(sim::Feed& feed, const sim::FeedEvent& event, uint8_t* out) {
    sim::Tick tick;
    feed.tickOf(event, tick);
    return writeFrame(tick, feed.model(event.index).spec().id, out);
}

/** Prices twice as high still fit. */
constexpr double mostReferenceTicks = 5e8;

sim::TradingHours readHours(const int32_t* numbers) {
    sim::TradingHours hours;
    hours.nightMinutes = *numbers++;
    hours.dayCount = std::clamp(*numbers++, 1, sim::maxDaySessions);
    for (int i = 0; i < hours.dayCount; ++i, numbers += 2) hours.day[i] = {numbers[0], numbers[1]};
    return hours;
}

bool has(const sim::Feed* feed, int index) {
    return feed != nullptr && index >= 0 && static_cast<size_t>(index) < feed->size();
}

}  // namespace

/** Longest frame that qm_tick and qm_collect write, in bytes. */
EXPORT int qm_longest_frame() {
    return static_cast<int>(longestFrame);
}

/**
 * `arrivals` 0 uniform, 1 poisson, 2 burst; `hours` 0 always, 1 exchange; `dates` 0 production, 1 simnow;
 * `benchStartUs` negative for no bench run. `holidays` are `holidayCount` days since 1970-01-01. It knows no product.
 */
EXPORT sim::Feed* qm_feed_new(uint64_t seed, double ticksPerSecond, int arrivals, int hours, int dates, int levels,
                              double limitShare, double benchStartUs, const int32_t* holidays, int holidayCount) {
    sim::FeedSettings settings;
    settings.seed = seed;
    settings.ticksPerSecond = ticksPerSecond;
    settings.arrivals = static_cast<sim::Arrivals>(arrivals);
    settings.hours = static_cast<sim::HoursMode>(hours);
    settings.model.dates = static_cast<sim::DateRules>(dates);
    settings.model.levels = levels;
    settings.model.limitShare = limitShare;
    settings.benchStartUs = static_cast<int64_t>(benchStartUs);
    auto* feed = new sim::Feed(settings, {});
    feed->hours().setHolidays(holidays, static_cast<size_t>(holidayCount));
    return feed;
}

EXPORT void qm_feed_free(sim::Feed* feed) {
    delete feed;
}

/**
 * Makes a product known. `exchange` counts SHFE, INE, DCE, CZCE, CFFEX, GFEX; prices are rounded to 1/10000 yuan. `hours`
 * and `lastDayHours` are the minutes of the night session, the number of day sessions, at most 6, and the begin and end of
 * each in minutes since midnight. `underlying` is empty but for a code that only options have.
 */
EXPORT void qm_set_product(sim::Feed* feed, const char* code, int exchange, double multiplier, double priceTick,
                           double referencePrice, double priceLimit, const char* underlying, const int32_t* hours,
                           const int32_t* lastDayHours) {
    const double tickUnits = std::clamp(std::round(priceTick * sim::priceUnitsPerYuan), 1.0, 1e9);
    const double referenceTicks = std::round(referencePrice * sim::priceUnitsPerYuan / tickUnits);
    sim::Product product{static_cast<sim::Exchange>(exchange),
                         static_cast<int32_t>(std::clamp(std::round(multiplier), 1.0, 1e9)),
                         static_cast<int32_t>(tickUnits),
                         static_cast<int32_t>(std::clamp(referenceTicks, 1.0, mostReferenceTicks)),
                         priceLimit,
                         underlying};
    product.hours = readHours(hours);
    product.lastDayHours = readHours(lastDayHours);
    feed->setProduct(code, std::move(product));
}

/**
 * Index of an instrument, -1 for an id that the model does not know. `lastDay` is its last trading day in days since
 * 1970-01-01, -1 where that changes nothing.
 */
EXPORT int qm_add(sim::Feed* feed, const char* id, int lastDay) {
    return feed == nullptr || id == nullptr ? -1 : feed->add(id, lastDay);
}

EXPORT void qm_set_active(sim::Feed* feed, int index, int active, double now) {
    if (has(feed, index)) feed->setActive(index, active != 0, static_cast<int64_t>(now));
}

/** Ticks later than this are skipped but for each instrument's newest; in ms. */
EXPORT void qm_set_late_limit(sim::Feed* feed, double ms) {
    feed->setLateLimit(static_cast<int64_t>(ms));
}

/** Step of an instrument's newest scheduled tick, in ms since the epoch; -1 when there is none. */
EXPORT double qm_newest_step(sim::Feed* feed, int index, double now) {
    sim::FeedEvent event{};
    if (!has(feed, index) || !feed->newest(index, static_cast<int64_t>(now), event)) return -1;
    return static_cast<double>(event.us / 1000);
}

/** Writes the frame of an instrument's newest scheduled tick; its length, 0 when there is none. */
EXPORT int qm_newest(sim::Feed* feed, int index, double now, uint8_t* out) {
    sim::FeedEvent event{};
    if (!has(feed, index) || !feed->newest(index, static_cast<int64_t>(now), event)) return 0;
    return static_cast<int>(writeEvent(*feed, event, out));
}

/** Writes the frame of the tick of a step, scheduled or not, without the bench encoding; its length, 0 for none. */
EXPORT int qm_tick(sim::Feed* feed, int index, double step, uint8_t* out) {
    if (!has(feed, index)) return 0;
    sim::Tick tick;
    feed->tickAt(index, static_cast<int64_t>(step), tick);
    return static_cast<int>(writeFrame(tick, feed->model(index).spec().id, out));
}

/**
 * Takes up to `limit` due ticks: instrument indices, the end of each frame in `frames`, and the frames themselves,
 * for which there must be room for `limit` longest ones. The number taken; less than `limit` means nothing is due.
 */
EXPORT int qm_collect(sim::Feed* feed, double now, int limit, int32_t* indices, uint32_t* ends, uint8_t* frames) {
    int taken = 0;
    size_t length = 0;
    sim::FeedEvent event{};
    while (taken < limit && feed->next(static_cast<int64_t>(now), event)) {
        length += writeEvent(*feed, event, frames + length);
        indices[taken] = event.index;
        ends[taken] = static_cast<uint32_t>(length);
        ++taken;
    }
    return taken;
}

/** When the next tick is due, in ms since the epoch; -1 when nothing is active. */
EXPORT double qm_next_due(sim::Feed* feed) {
    const int64_t due = feed->nextDue();
    return due == INT64_MAX ? -1 : static_cast<double>(due);
}

/**
 * The trading day that an instant is accounted to, as an instrument has it: days since 1970-01-01, the instants at which
 * it begins and ends, that of the opening auction's tick (-1 for none), and the begin and end of each session, all in ms.
 * Writes up to 18 numbers; how many sessions there are, at most 7.
 */
EXPORT int qm_sessions(sim::Feed* feed, int index, double instant, double* out) {
    if (!has(feed, index)) return 0;
    sim::MarketHours& hours = feed->hours();
    const int64_t day = hours.tradingDay(static_cast<int64_t>(instant));
    const sim::TradingDaySessions& found = hours.sessions(feed->model(index).ownHours(), day);
    *out++ = static_cast<double>(found.day);
    *out++ = static_cast<double>(found.begin);
    *out++ = static_cast<double>(found.end);
    *out++ = static_cast<double>(found.auction);
    for (int i = 0; i < found.count; ++i) {
        *out++ = static_cast<double>(found.sessions[i].start);
        *out++ = static_cast<double>(found.sessions[i].end);
    }
    return found.count;
}
