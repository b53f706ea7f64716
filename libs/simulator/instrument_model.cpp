#include "instrument_model.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstring>

#include "hash.h"
#include "schedule.h"
#include "shanghai_time.h"

namespace sim {
namespace {

constexpr int32_t msPerCell = 500;
constexpr int cellsPerMinute = static_cast<int>(msPerMinute / msPerCell);
constexpr int32_t minutesPerBlock = 60;

// What a hash is drawn for.
enum Salt : uint64_t {
    saltBase = 1, saltActivity, saltOpenInterest, saltAuction, saltBlock, saltMinute, saltMinuteShare, saltCell,
    saltCellShare, saltBook, saltPhase, saltFirstTrade, saltLimitDay, saltOctave
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
/** How far a block may go beyond its ends, in amplitudes. */
constexpr double blockReach = 0.08;
/** Minutes in which the price bends towards a block's extreme, on either side. */
constexpr int32_t bendMinutes = 8;
/** Options often open without a trade; the first one comes within so many minutes. */
constexpr double quietOptionShare = 0.3;
constexpr int32_t latestFirstTrade = 45;
/** A day's blocks are numbered from here on in their hashes. */
constexpr int64_t boundariesPerBlock = 128;

double signedUnit(uint64_t hash) {
    return 2 * unit(hash) - 1;
}

double smooth(double x) {
    return x * x * (3 - 2 * x);
}

/** 1 in the middle of a minute, 0 from `bendMinutes` on and at the block's ends. */
double bend(int32_t boundary, int32_t minute, int32_t count) {
    const double centre = minute + 0.5;
    const double width = std::min({static_cast<double>(bendMinutes), centre, count - centre});
    return std::max(0.0, 1 - std::abs(boundary - centre) / width);
}

/** Rises in the first quarter of a block, is 1 in its middle, and falls in the last quarter. */
double locked(int32_t boundary, int32_t count) {
    const double ramp = count / 4;
    return smooth(std::clamp(std::min(boundary / ramp, (count - boundary) / ramp), 0.0, 1.0));
}

}  // namespace

InstrumentModel::InstrumentModel(uint64_t seed, InstrumentSpec spec, MarketHours& hours,
                                 const InstrumentHours& ownHours, const ModelSettings& settings)
    : spec_(std::move(spec)),
      hours_(hours),
      ownHours_(ownHours),
      settings_(settings),
      key_(mix(seed) ^ hashText(spec_.id.data(), spec_.id.size())) {
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

int32_t InstrumentModel::withinLimits(int32_t ticks) const {
    return std::clamp(ticks, lowerLimit_, upperLimit_);
}

/** The settlement price of a day that closes at an instant: between the last price and that of an hour before. */
int32_t InstrumentModel::settlement(int64_t close) {
    const int64_t minute = close / msPerMinute;
    return (anchor(minute - 60) + anchor(minute)) / 2;
}

int64_t InstrumentModel::wallMinute(int32_t marketMinute) const {
    int i = day_.count - 1;
    while (i > 0 && day_.sessions[i].firstMinute > marketMinute) --i;
    return day_.sessions[i].start / msPerMinute + marketMinute - day_.sessions[i].firstMinute;
}

void InstrumentModel::startDay(int64_t day) {
    day_ = hours_.sessions(ownHours_, day);
    preClose_ = anchor(day_.closeBefore / msPerMinute);
    preSettlement_ = settlement(day_.closeBefore);
    if (spec_.limitTicks > 0) {
        upperLimit_ = preSettlement_ + spec_.limitTicks;
        lowerLimit_ = std::max(preSettlement_ - spec_.limitTicks, 1);
    } else {
        const double limit = spec_.priceLimit;
        upperLimit_ = static_cast<int32_t>(std::max(std::floor(preSettlement_ * (1 + limit)), preSettlement_ + 1.0));
        lowerLimit_ = static_cast<int32_t>(std::max(std::ceil(preSettlement_ * (1 - limit)), 1.0));
    }
    preOpenInterest_ = openInterestAt(day_.closeBefore / msPerMinute);

    // Where the market never closes, a day begins with a trade, so that no price of the day is ever absent.
    const uint64_t quiet = hashOf(key_, saltFirstTrade, day);
    firstMinute_ = 0;
    if (!hours_.alwaysOpen() && spec_.limitTicks > 0 && unit(quiet) < quietOptionShare) {
        const int32_t latest = std::min(latestFirstTrade, day_.minutes - 1);
        firstMinute_ = std::min(1, latest) + static_cast<int32_t>(mix(quiet) % static_cast<uint64_t>(std::max(latest, 1)));
    }

    const uint64_t limitDay = hashOf(key_, saltLimitDay, day);
    const int32_t fullBlocks = (day_.minutes - firstMinute_) / minutesPerBlock;
    const bool atLimit = unit(limitDay) < settings_.limitShare && fullBlocks > 0;
    limitBlock_ = atLimit ? static_cast<int32_t>(mix(limitDay) % static_cast<uint64_t>(fullBlocks)) : -1;
    limitPrice_ = (mix(limitDay) >> 40 & 1) != 0 ? upperLimit_ : lowerLimit_;

    blockStart_ = {INT32_MIN, INT32_MAX, 0, 0};
    enterBlock(0);
    open_ = cellPrice(0);
    // The opening auction, or the first trade of a day that began without one.
    const int64_t auction = 1 + static_cast<int64_t>(hashOf(key_, saltAuction, day) % 50);
    blockStart_ = {open_, open_, auction, static_cast<double>(auction) * price(open_) * spec_.multiplier};
    minuteStart_ = blockStart_;
}

void InstrumentModel::enterBlock(int32_t index) {
    const int32_t previousClose = block_.close;
    const int64_t previousEnd = block_.firstWall + block_.count;
    block_.index = index;
    block_.first = firstMinute_ + index * minutesPerBlock;
    block_.count = std::min(minutesPerBlock, day_.minutes - block_.first);
    block_.firstWall = wallMinute(block_.first);
    const bool follows = index > 0 && hours_.alwaysOpen() && block_.firstWall == previousEnd;
    block_.open = follows ? previousClose : withinLimits(anchor(block_.firstWall));
    block_.close = withinLimits(anchor(wallMinute(block_.first + block_.count - 1) + 1));

    const uint64_t h1 = hashOf(key_, saltBlock, block_.firstWall);
    const uint64_t h2 = mix(h1);
    const uint64_t h3 = mix(h2);
    const auto reach = [&](uint64_t h) {
        return static_cast<int32_t>(std::ceil(baseTicks_ * amplitude_ * blockReach * (0.5 + unit(h)) + jitterTicks_));
    };
    block_.highest = withinLimits(std::max(block_.open, block_.close) + reach(h1));
    block_.lowest = withinLimits(std::min(block_.open, block_.close) - reach(h2));
    const uint32_t count = static_cast<uint32_t>(block_.count);
    block_.highestMinute = static_cast<int32_t>(static_cast<uint32_t>(h3) % count);
    block_.lowestMinute = static_cast<int32_t>(static_cast<uint32_t>(h3 >> 32) % count);
    block_.lockedAt = 0;
    if (index == limitBlock_) {
        // One extreme is reached where it stands at the limit, the other one in the block's first minute.
        block_.lockedAt = limitPrice_;
        block_.highest = std::max(block_.highest, limitPrice_);
        block_.lowest = std::min(block_.lowest, limitPrice_);
        (limitPrice_ == upperLimit_ ? block_.highestMinute : block_.lowestMinute) = block_.count / 2;
        (limitPrice_ == upperLimit_ ? block_.lowestMinute : block_.highestMinute) = 0;
    }
    block_.volume = static_cast<int64_t>(lotsPerMinute_ * block_.count * (0.3 + 1.4 * unit(mix(h3))));
    // The price at its start, so that the day's average never leaves what was traded so far.
    block_.lotValue = price(block_.open) * spec_.multiplier;
    minuteStart_ = blockStart_;
    minute_.index = -1;
    enterMinute(block_.first);
}

/** Price at the boundary between two minutes of the block, at a minute since the epoch. */
int32_t InstrumentModel::pathPrice(int64_t wall, int32_t boundary) {
    if (boundary == 0) return block_.open;
    if (boundary == block_.count) return block_.close;
    double value = std::clamp(anchor(wall), block_.lowest, block_.highest);
    if (block_.lockedAt != 0) {
        value += locked(boundary, block_.count) * (block_.lockedAt - value);
    } else {
        value += 0.8 * bend(boundary, block_.highestMinute, block_.count) * (block_.highest - value);
        value -= 0.8 * bend(boundary, block_.lowestMinute, block_.count) * (value - block_.lowest);
    }
    return static_cast<int32_t>(std::lround(value));
}

/** Lots of the block that are traded before one of its minutes begins; it grows. */
int64_t InstrumentModel::blockVolumeUntil(int32_t boundary) const {
    if (boundary == 0 || boundary == block_.count) return boundary == 0 ? 0 : block_.volume;
    const double share = boundary + 0.9 * unit(hashOf(key_, saltMinuteShare, block_.firstWall * boundariesPerBlock + boundary));
    return static_cast<int64_t>(static_cast<double>(block_.volume) * share / block_.count);
}

void InstrumentModel::enterMinute(int32_t index) {
    const int32_t boundary = index - block_.first;
    const int64_t wall = boundary == 0 ? block_.firstWall : wallMinute(index);
    const bool follows = minute_.index + 1 == index && boundary > 0;
    minute_.open = follows && minute_.wall + 1 == wall ? minute_.close : pathPrice(wall, boundary);
    minute_.close = pathPrice(wall + 1, boundary + 1);
    minute_.volumeBefore = follows ? minute_.volumeBefore + minute_.volume : blockVolumeUntil(boundary);
    minute_.volume = blockVolumeUntil(boundary + 1) - minute_.volumeBefore;
    minute_.index = index;
    minute_.wall = wall;

    const uint64_t h1 = hashOf(key_, saltMinute, wall);
    const uint64_t h2 = mix(h1);
    const uint64_t h3 = mix(h2);
    const auto reach = [&](uint64_t h) { return static_cast<int32_t>(std::ceil(jitterTicks_ * (0.3 + 0.7 * unit(h)))); };
    minute_.highest = std::min(std::max(minute_.open, minute_.close) + reach(h1), block_.highest);
    minute_.lowest = std::max(std::min(minute_.open, minute_.close) - reach(h2), block_.lowest);
    if (boundary == block_.highestMinute) minute_.highest = block_.highest;
    if (boundary == block_.lowestMinute) minute_.lowest = block_.lowest;
    if (block_.lockedAt != 0 && minute_.open == block_.lockedAt && minute_.close == block_.lockedAt) {
        minute_.highest = minute_.lowest = block_.lockedAt;
    }
    minute_.highestCell = static_cast<int>(h3 % cellsPerMinute);
    minute_.lowestCell = static_cast<int>((h3 % cellsPerMinute + 1 + (h3 >> 32) % (cellsPerMinute - 1)) % cellsPerMinute);
    cell_ = -1;
}

/** Brings the running state to an instant of the day. */
void InstrumentModel::seek(int32_t minute, int32_t msOfMinute) {
    const int32_t block = (minute - firstMinute_) / minutesPerBlock;
    if (block < block_.index) startDay(day_.day);
    while (block_.index < block) {
        blockStart_.highest = std::max(blockStart_.highest, block_.highest);
        blockStart_.lowest = std::min(blockStart_.lowest, block_.lowest);
        blockStart_.volume += block_.volume;
        blockStart_.turnover += static_cast<double>(block_.volume) * block_.lotValue;
        enterBlock(block_.index + 1);
    }
    if (minute < minute_.index) {
        minuteStart_ = blockStart_;
        minute_.index = -1;
        enterMinute(block_.first);
    }
    while (minute_.index < minute) {
        minuteStart_.highest = std::max(minuteStart_.highest, minute_.highest);
        minuteStart_.lowest = std::min(minuteStart_.lowest, minute_.lowest);
        enterMinute(minute_.index + 1);
    }
    const int cell = msOfMinute / msPerCell;
    if (cell < cell_) cell_ = -1;
    if (cell_ < 0) {
        cellsHighest_ = minuteStart_.highest;
        cellsLowest_ = minuteStart_.lowest;
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
    const double jitter = jitterTicks_ * signedUnit(hashOf(key_, saltCell, minute_.wall * cellsPerMinute + cell));
    return std::clamp(static_cast<int32_t>(std::lround(path + jitter)), minute_.lowest, minute_.highest);
}

/** Share of the minute's volume that is traded before a cell begins, times the number of cells; it grows. */
double InstrumentModel::cellShare(int cell) const {
    if (cell == 0 || cell == cellsPerMinute) return cell;
    return cell + 0.9 * unit(hashOf(key_, saltCellShare, minute_.wall * cellsPerMinute + cell));
}

int64_t InstrumentModel::volumeInMinute(int32_t msOfMinute) const {
    const int cell = msOfMinute / msPerCell;
    const double x = static_cast<double>(msOfMinute % msPerCell) / msPerCell;
    const double left = cellShare(cell);
    const double share = left + (cellShare(cell + 1) - left) * x;
    return static_cast<int64_t>(static_cast<double>(minute_.volume) * share / cellsPerMinute);
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

/** The book around a price. `locked` is 1 at the upper limit and -1 at the lower one, where one side is empty. */
void InstrumentModel::fillBook(int64_t step, int32_t last, int locked, Tick& tick) const {
    const uint64_t h = hashOf(key_, saltBook, step);
    const bool lastIsBid = locked == 0 ? (h & 1) != 0 : locked > 0;
    const int32_t bid = lastIsBid ? last : last - 1;
    uint64_t sizes = mix(h);
    const auto size = [&] {
        sizes = mix(sizes);
        return static_cast<int32_t>(1 + sizes % 400);
    };
    for (int level = 0; level < depthLevels; ++level) {
        const int32_t buy = bid - level;
        const int32_t sell = bid + 1 + level;
        const bool hasBuy = level < settings_.levels && buy >= lowerLimit_;
        const bool hasSell = level < settings_.levels && sell <= upperLimit_;
        tick.bidPrice[level] = hasBuy ? price(buy) : DBL_MAX;
        tick.bidVolume[level] = hasBuy ? size() : 0;
        tick.askPrice[level] = hasSell ? price(sell) : DBL_MAX;
        tick.askVolume[level] = hasSell ? size() : 0;
    }
}

/** Dates and milliseconds as each exchange's fronts stamp them. */
void InstrumentModel::stamp(int64_t step, int64_t notBefore, Tick& tick) const {
    int64_t stamped = step;
    if (spec_.exchange == Exchange::CFFEX) {
        // Half a second apart, at a tenth of a second that differs between instruments.
        const int64_t phase = static_cast<int64_t>(hashOf(key_, saltPhase, 0) % 5) * 100;
        stamped = std::max(step - ((step - phase) % 500 + 500) % 500, notBefore);
    }
    const int millisec = static_cast<int>(stamped % 1000);
    switch (spec_.exchange) {
        case Exchange::SHFE:
        case Exchange::INE: tick.updateMillisec = millisec / 500 * 500; break;
        case Exchange::CZCE: tick.updateMillisec = 0; break;
        default: tick.updateMillisec = millisec;
    }
    formatTime(stamped, tick.updateTime);
    // SimNow's fronts stamp every exchange in SHFE's way.
    const bool production = settings_.dates == DateRules::production;
    const bool naturalTradingDay = production && spec_.exchange == Exchange::CZCE;
    const bool actionIsTradingDay =
        production && (spec_.exchange == Exchange::DCE || spec_.exchange == Exchange::GFEX);
    formatDay(naturalTradingDay ? naturalDay(stamped) : day_.day, tick.tradingDay);
    formatDay(actionIsTradingDay ? day_.day : naturalDay(stamped), tick.actionDay);
}

/** What has been traded so far; before the day's first trade nothing has, and has no price. */
void InstrumentModel::fillTrades(int32_t last, int32_t msOfMinute, Tick& tick) const {
    if (last == 0) {
        tick.lastPrice = tick.openPrice = tick.highestPrice = tick.lowestPrice = DBL_MAX;
        tick.volume = 0;
        tick.turnover = tick.averagePrice = 0;
        return;
    }
    const int64_t inBlock = msOfMinute < 0 ? 0 : minute_.volumeBefore + volumeInMinute(msOfMinute);
    const int64_t volume = blockStart_.volume + inBlock;
    tick.lastPrice = price(last);
    tick.openPrice = price(open_);
    tick.highestPrice = price(msOfMinute < 0 ? open_ : cellsHighest_);
    tick.lowestPrice = price(msOfMinute < 0 ? open_ : cellsLowest_);
    tick.volume = static_cast<int32_t>(volume);
    tick.turnover = blockStart_.turnover + static_cast<double>(inBlock) * block_.lotValue;
    // CZCE sends the price of a unit; for the others the vendor divides turnover by volume, that is, per lot.
    const double perLot = tick.turnover / static_cast<double>(volume);
    tick.averagePrice = spec_.exchange == Exchange::CZCE ? perLot / spec_.multiplier : perLot;
}

void InstrumentModel::tickAt(int64_t step, Tick& tick) {
    if (step < day_.begin || step >= day_.end) startDay(hours_.tradingDay(step));
    const MarketPoint point = locate(day_, step);
    const bool closed = point.phase == MarketPoint::Phase::afterClose;
    const bool opening = point.phase == MarketPoint::Phase::beforeOpen;
    int32_t last = 0;
    int locked = 0;
    if (opening ? firstMinute_ == 0 && step >= day_.auction : point.minute >= firstMinute_) {
        seek(opening ? 0 : point.minute, point.msOfMinute);
        last = opening ? open_ : closed ? minute_.close : cellPrice(cell_);
        if (minute_.highest == minute_.lowest && last == block_.lockedAt) locked = last == upperLimit_ ? 1 : -1;
    }
    fillTrades(last, opening ? -1 : point.msOfMinute, tick);
    fillBook(step, last == 0 ? preSettlement_ : last, locked, tick);
    stamp(step, point.periodStart, tick);

    tick.preSettlementPrice = price(preSettlement_);
    tick.preClosePrice = price(preClose_);
    tick.preOpenInterest = preOpenInterest_;
    tick.openInterest = openInterestAt(closed ? day_.close() / msPerMinute : step / msPerMinute);
    tick.closePrice = closed && last != 0 && step >= closePublished(key_, day_) ? price(last) : DBL_MAX;
    tick.settlementPrice = DBL_MAX;
    if (closed && step >= settlementPublished(key_, day_)) tick.settlementPrice = price(settlement(day_.close()));
    // CZCE's feed carries the day before's settlement price until there is a new one.
    else if (spec_.exchange == Exchange::CZCE && !hours_.alwaysOpen()) tick.settlementPrice = price(preSettlement_);
    tick.upperLimitPrice = price(upperLimit_);
    tick.lowerLimitPrice = price(lowerLimit_);
    tick.preDelta = DBL_MAX;
    tick.currDelta = DBL_MAX;
    tick.bandingUpperPrice = DBL_MAX;
    tick.bandingLowerPrice = DBL_MAX;
    std::memset(tick.exchangeId, 0, sizeof tick.exchangeId);
    tick.idLength = static_cast<uint8_t>(spec_.id.size());
    std::memset(tick.unused, 0, sizeof tick.unused);
}

}  // namespace sim
