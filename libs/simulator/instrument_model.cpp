#include "instrument_model.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstring>

#include "hash.h"
#include "shanghai_time.h"

namespace sim {
namespace {

constexpr int64_t msPerCell = 500;
constexpr int cellsPerMinute = static_cast<int>(msPerMinute / msPerCell);

// What a hash is drawn for.
enum Salt : uint64_t {
    saltBase = 1, saltActivity, saltOpenInterest, saltAuction, saltMinute, saltCell, saltCellShare, saltBook,
    saltPhase, saltOctave
};

struct OctaveShape {
    int64_t minutes;
    double weight;
    double perMinute = 1.0 / static_cast<double>(minutes);
};
// Weights add up to one: the noise never leaves [-1, 1].
constexpr OctaveShape octaveShapes[] = {{43200, 0.40}, {4320, 0.22}, {240, 0.14}, {60, 0.10}, {10, 0.08}, {1, 0.06}};

// Two prices can differ by twice the amplitude, which stays well inside the daily limit.
constexpr double amplitudePerLimit = 0.34;
constexpr double jitterPerLimit = 0.004;

double signedUnit(uint64_t hash) {
    return 2 * unit(hash) - 1;
}

double smooth(double x) {
    return x * x * (3 - 2 * x);
}

}  // namespace

InstrumentModel::InstrumentModel(uint64_t seed, InstrumentSpec spec)
    : spec_(std::move(spec)), key_(mix(seed) ^ hashText(spec_.id.data(), spec_.id.size())) {
    baseTicks_ = std::max(1.0, spec_.referenceTicks * (1 + 0.02 * signedUnit(hashOf(key_, saltBase, 0))));
    amplitude_ = amplitudePerLimit * spec_.priceLimit;
    jitterTicks_ = std::max(1.0, jitterPerLimit * spec_.priceLimit * baseTicks_);
    lotsPerMinute_ = std::pow(10.0, 0.5 + 2.5 * unit(hashOf(key_, saltActivity, 0)));
    baseOpenInterest_ = std::round(lotsPerMinute_ * 300 * (0.5 + unit(hashOf(key_, saltOpenInterest, 0))));
}

int32_t InstrumentModel::anchor(int64_t minute) {
    double noise = 0;
    for (int i = 0; i < octaveCount; ++i) {
        const OctaveShape& shape = octaveShapes[i];
        Octave& octave = octaves_[i];
        // Minutes mostly come one after the other, and a division for each octave would be most of the work.
        if (static_cast<uint64_t>(minute - octave.begin) >= static_cast<uint64_t>(shape.minutes)) {
            const int64_t node = minute / shape.minutes;
            const bool follows = octave.begin + shape.minutes == node * shape.minutes;
            octave.left = follows ? octave.right : signedUnit(hashOf(key_, saltOctave + i, node));
            octave.right = signedUnit(hashOf(key_, saltOctave + i, node + 1));
            octave.begin = node * shape.minutes;
        }
        const double x = static_cast<double>(minute - octave.begin) * shape.perMinute;
        noise += shape.weight * (octave.left + (octave.right - octave.left) * smooth(x));
    }
    return static_cast<int32_t>(std::max(1.0, std::round(baseTicks_ * (1 + amplitude_ * noise))));
}

void InstrumentModel::enterMinute(int64_t index, int32_t open) {
    const uint64_t h1 = hashOf(key_, saltMinute, index);
    const uint64_t h2 = mix(h1);
    const uint64_t h3 = mix(h2);
    minute_.index = index;
    minute_.open = open;
    minute_.close = anchor(index + 1);
    const auto reach = [&](uint64_t h) { return static_cast<int32_t>(std::ceil(jitterTicks_ * (0.3 + 0.7 * unit(h)))); };
    minute_.highest = std::min(std::max(minute_.open, minute_.close) + reach(h1), upperLimit_);
    minute_.lowest = std::max(std::min(minute_.open, minute_.close) - reach(h2), lowerLimit_);
    minute_.highestCell = static_cast<int>(h3 % cellsPerMinute);
    minute_.lowestCell = static_cast<int>((h3 % cellsPerMinute + 1 + (h3 >> 32) % (cellsPerMinute - 1)) % cellsPerMinute);
    minute_.volume = static_cast<int32_t>(lotsPerMinute_ * (0.3 + 1.4 * unit(mix(h3))));
    minute_.lotValue = price((minute_.open + minute_.close) / 2) * spec_.multiplier;
    cell_ = -1;
}

void InstrumentModel::startDay(int64_t day) {
    day_ = day;
    dayStart_ = tradingDayStart(day);
    const int64_t closeMinute = previousClose(day) / msPerMinute;
    preClose_ = anchor(closeMinute);
    preSettlement_ = (anchor(closeMinute - 60) + preClose_) / 2;
    const double limit = spec_.priceLimit;
    upperLimit_ = static_cast<int32_t>(std::max(std::floor(preSettlement_ * (1 + limit)), preSettlement_ + 1.0));
    lowerLimit_ = static_cast<int32_t>(std::max(std::ceil(preSettlement_ * (1 - limit)), 1.0));
    preOpenInterest_ = openInterestAt(closeMinute);

    const int64_t first = dayStart_ / msPerMinute;
    enterMinute(first, anchor(first));
    open_ = cellPrice(0);
    // The opening auction: a day begins with a trade, so that no price of the day is ever absent.
    const int64_t auction = 1 + static_cast<int64_t>(hashOf(key_, saltAuction, day) % 50);
    completed_ = {open_, open_, auction, static_cast<double>(auction) * price(open_) * spec_.multiplier};
}

void InstrumentModel::seek(int64_t step) {
    const int64_t day = tradingDay(step);
    const int64_t minute = step / msPerMinute;
    if (day != day_ || minute < minute_.index) startDay(day);
    while (minute_.index < minute) {
        completed_.highest = std::max(completed_.highest, minute_.highest);
        completed_.lowest = std::min(completed_.lowest, minute_.lowest);
        completed_.volume += minute_.volume;
        completed_.turnover += minute_.volume * minute_.lotValue;
        enterMinute(minute_.index + 1, minute_.close);
    }
    const int cell = static_cast<int>(step % msPerMinute / msPerCell);
    if (cell < cell_) cell_ = -1;
    if (cell_ < 0) {
        cellsHighest_ = completed_.highest;
        cellsLowest_ = completed_.lowest;
    }
    while (cell_ < cell) {
        const int32_t traded = cellPrice(++cell_);
        cellsHighest_ = std::max(cellsHighest_, traded);
        cellsLowest_ = std::min(cellsLowest_, traded);
    }
}

int32_t InstrumentModel::cellPrice(int cell) const {
    if (cell == minute_.highestCell) return minute_.highest;
    if (cell == minute_.lowestCell) return minute_.lowest;
    const double path = minute_.open + (minute_.close - minute_.open) * (static_cast<double>(cell) / cellsPerMinute);
    const double jitter = jitterTicks_ * signedUnit(hashOf(key_, saltCell, minute_.index * cellsPerMinute + cell));
    return std::clamp(static_cast<int32_t>(std::lround(path + jitter)), minute_.lowest, minute_.highest);
}

/** Share of the minute's volume that is traded before a cell begins, times the number of cells; it grows. */
double InstrumentModel::cellShare(int cell) const {
    if (cell == 0 || cell == cellsPerMinute) return cell;
    return cell + 0.9 * unit(hashOf(key_, saltCellShare, minute_.index * cellsPerMinute + cell));
}

int64_t InstrumentModel::volumeInMinute(int64_t msOfMinute) const {
    const int cell = static_cast<int>(msOfMinute / msPerCell);
    const double x = static_cast<double>(msOfMinute % msPerCell) / msPerCell;
    const double left = cellShare(cell);
    const double share = left + (cellShare(cell + 1) - left) * x;
    return static_cast<int64_t>(minute_.volume * share / cellsPerMinute);
}

double InstrumentModel::openInterestAt(int64_t minute) const {
    constexpr int64_t nodeMinutes = 240;
    const int64_t node = minute / nodeMinutes;
    const double left = signedUnit(hashOf(key_, saltOpenInterest, node));
    const double right = signedUnit(hashOf(key_, saltOpenInterest, node + 1));
    const double x = static_cast<double>(minute % nodeMinutes) / nodeMinutes;
    return std::round(baseOpenInterest_ * (1 + 0.05 * (left + (right - left) * x)));
}

double InstrumentModel::price(int32_t ticks) const {
    return static_cast<double>(static_cast<int64_t>(ticks) * spec_.tickUnits) / priceUnitsPerYuan;
}

void InstrumentModel::fillBook(int64_t step, int32_t last, Tick& tick) const {
    const uint64_t h = hashOf(key_, saltBook, step);
    const int32_t bid = (h & 1) != 0 ? last : last - 1;
    uint64_t sizes = mix(h);
    const auto size = [&] {
        sizes = mix(sizes);
        return static_cast<int32_t>(1 + sizes % 400);
    };
    for (int level = 0; level < depthLevels; ++level) {
        const int32_t buy = bid - level;
        const int32_t sell = bid + 1 + level;
        const bool hasBuy = buy >= lowerLimit_;
        const bool hasSell = sell <= upperLimit_;
        tick.bidPrice[level] = hasBuy ? price(buy) : DBL_MAX;
        tick.bidVolume[level] = hasBuy ? size() : 0;
        tick.askPrice[level] = hasSell ? price(sell) : DBL_MAX;
        tick.askVolume[level] = hasSell ? size() : 0;
    }
}

/** Dates and milliseconds as each exchange's production fronts stamp them. */
void InstrumentModel::stamp(int64_t step, Tick& tick) const {
    int64_t stamped = step;
    if (spec_.exchange == Exchange::CFFEX) {
        // Half a second apart, at a tenth of a second that differs between instruments.
        const int64_t phase = static_cast<int64_t>(hashOf(key_, saltPhase, 0) % 5) * 100;
        stamped = std::max(step - ((step - phase) % 500 + 500) % 500, dayStart_);
    }
    const int millisec = static_cast<int>(stamped % 1000);
    switch (spec_.exchange) {
        case Exchange::SHFE:
        case Exchange::INE: tick.updateMillisec = millisec / 500 * 500; break;
        case Exchange::CZCE: tick.updateMillisec = 0; break;
        default: tick.updateMillisec = millisec;
    }
    formatTime(stamped, tick.updateTime);
    const bool naturalTradingDay = spec_.exchange == Exchange::CZCE;
    const bool actionIsTradingDay = spec_.exchange == Exchange::DCE || spec_.exchange == Exchange::GFEX;
    formatDay(naturalTradingDay ? naturalDay(stamped) : day_, tick.tradingDay);
    formatDay(actionIsTradingDay ? day_ : naturalDay(stamped), tick.actionDay);
}

void InstrumentModel::tickAt(int64_t step, Tick& tick) {
    seek(step);
    const int32_t last = cellPrice(cell_);
    const int64_t inMinute = volumeInMinute(step % msPerMinute);
    const int64_t volume = completed_.volume + inMinute;
    tick.lastPrice = price(last);
    tick.preSettlementPrice = price(preSettlement_);
    tick.preClosePrice = price(preClose_);
    tick.preOpenInterest = preOpenInterest_;
    tick.openPrice = price(open_);
    tick.highestPrice = price(cellsHighest_);
    tick.lowestPrice = price(cellsLowest_);
    tick.turnover = completed_.turnover + static_cast<double>(inMinute) * minute_.lotValue;
    tick.openInterest = openInterestAt(step / msPerMinute);
    tick.closePrice = DBL_MAX;
    tick.settlementPrice = DBL_MAX;
    tick.upperLimitPrice = price(upperLimit_);
    tick.lowerLimitPrice = price(lowerLimit_);
    tick.preDelta = DBL_MAX;
    tick.currDelta = DBL_MAX;
    // CZCE sends the price of a unit; for the others the vendor divides turnover by volume, that is, per lot.
    const double perLot = tick.turnover / static_cast<double>(volume);
    tick.averagePrice = spec_.exchange == Exchange::CZCE ? perLot / spec_.multiplier : perLot;
    tick.bandingUpperPrice = DBL_MAX;
    tick.bandingLowerPrice = DBL_MAX;
    tick.volume = static_cast<int32_t>(volume);
    fillBook(step, last, tick);
    stamp(step, tick);
    std::memset(tick.exchangeId, 0, sizeof tick.exchangeId);
    tick.idLength = static_cast<uint8_t>(spec_.id.size());
    std::memset(tick.unused, 0, sizeof tick.unused);
}

}  // namespace sim
