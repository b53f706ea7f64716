#include "market_hours.h"

#include <algorithm>

#include "shanghai_time.h"

namespace sim {
namespace {

constexpr int32_t nightOpen = 21 * 60;
/** The result of an opening auction is there a minute before the opening. */
constexpr int32_t auctionLead = 1;

int64_t midnight(int64_t day) {
    return day * msPerDay - shanghaiOffset;
}

}  // namespace

void MarketHours::setHolidays(const int32_t* days, size_t count) {
    holidays_.clear();
    if (count == 0) return;
    firstHoliday_ = *std::min_element(days, days + count);
    holidays_.resize(static_cast<size_t>(*std::max_element(days, days + count) - firstHoliday_ + 1));
    for (size_t i = 0; i < count; ++i) holidays_[static_cast<size_t>(days[i] - firstHoliday_)] = true;
}

bool MarketHours::isTradingDay(int64_t day) const {
    if (!isWeekday(day)) return false;
    const int64_t index = day - firstHoliday_;
    return index < 0 || index >= static_cast<int64_t>(holidays_.size()) || !holidays_[static_cast<size_t>(index)];
}

int64_t MarketHours::tradingDayBefore(int64_t day) const {
    do --day;
    while (!isTradingDay(day));
    return day;
}

int64_t MarketHours::tradingDayAfter(int64_t day) const {
    do ++day;
    while (!isTradingDay(day));
    return day;
}

int64_t MarketHours::tradingDay(int64_t step) const {
    const int64_t day = naturalDay(step + msPerDay - tradingDaySwitch);
    return isTradingDay(day) ? day : tradingDayAfter(day);
}

int MarketHours::kindOf(const TradingHours& hours, const TradingHours& before) {
    for (size_t i = 0; i < kinds_.size(); ++i) {
        if (kinds_[i].hours == hours && kinds_[i].before == before) return static_cast<int>(i);
    }
    kinds_.push_back({hours, before, {}});
    return static_cast<int>(kinds_.size()) - 1;
}

TradingDaySessions MarketHours::make(const Kind& kind, int64_t day) const {
    const int64_t before = tradingDayBefore(day);
    TradingDaySessions made{};
    made.day = day;
    made.begin = midnight(before) + tradingDaySwitch;
    made.end = midnight(day) + tradingDaySwitch;
    const auto add = [&](int64_t start, int64_t end) {
        made.sessions[made.count++] = {start, end, made.minutes};
        made.minutes += static_cast<int32_t>((end - start) / msPerMinute);
    };
    if (alwaysOpen()) {
        made.auction = -1;
        made.closeBefore = midnight(before) + 15 * msPerHour;
        add(made.begin, made.end);
        return made;
    }
    const TradingHours& hours = kind.hours;
    made.closeBefore = midnight(before) + kind.before.day[kind.before.dayCount - 1].to * msPerMinute;
    made.auction = midnight(day) + (hours.day[0].from - auctionLead) * msPerMinute;
    bool holidayBetween = false;
    for (int64_t between = before + 1; between < day; ++between) holidayBetween |= isWeekday(between);
    if (hours.nightMinutes > 0 && !holidayBetween) {
        const int64_t open = midnight(before) + nightOpen * msPerMinute;
        add(open, open + hours.nightMinutes * msPerMinute);
        made.auction = open - auctionLead * msPerMinute;
    }
    for (int i = 0; i < hours.dayCount; ++i) {
        add(midnight(day) + hours.day[i].from * msPerMinute, midnight(day) + hours.day[i].to * msPerMinute);
    }
    return made;
}

const TradingDaySessions& MarketHours::sessions(const InstrumentHours& hours, int64_t day) {
    Kind& kind = kinds_[static_cast<size_t>(day == hours.lastDay ? hours.onLastDay : hours.usual)];
    TradingDaySessions& kept = kind.kept[day & (keptDays - 1)];
    if (kept.day != day) kept = make(kind, day);
    return kept;
}

int64_t MarketHours::openFrom(const InstrumentHours& hours, int64_t step) {
    if (alwaysOpen()) return step;
    for (int64_t day = tradingDay(step);; day = tradingDayAfter(day)) {
        const TradingDaySessions& found = sessions(hours, day);
        for (int i = 0; i < found.count; ++i) {
            if (step < found.sessions[i].end) return std::max(step, found.sessions[i].start);
        }
    }
}

int64_t MarketHours::openUntil(const InstrumentHours& hours, int64_t step) {
    if (alwaysOpen()) return step;
    for (int64_t day = tradingDay(step);; day = tradingDayBefore(day)) {
        const TradingDaySessions& found = sessions(hours, day);
        for (int i = found.count; i-- > 0;) {
            if (step >= found.sessions[i].start) return std::min(step, found.sessions[i].end - 1);
        }
    }
}

MarketPoint locate(const TradingDaySessions& day, int64_t step) {
    constexpr int32_t lastMs = static_cast<int32_t>(msPerMinute) - 1;
    for (int i = day.count; i-- > 0;) {
        const MarketSession& session = day.sessions[i];
        if (step < session.start) continue;
        if (step < session.end) {
            const int64_t passed = step - session.start;
            return {MarketPoint::Phase::open, session.firstMinute + static_cast<int32_t>(passed / msPerMinute),
                    static_cast<int32_t>(passed % msPerMinute), session.start};
        }
        const bool last = i + 1 == day.count;
        const int32_t end = last ? day.minutes : day.sessions[i + 1].firstMinute;
        return {last ? MarketPoint::Phase::afterClose : MarketPoint::Phase::afterSession, end - 1, lastMs, session.end};
    }
    return {MarketPoint::Phase::beforeOpen, 0, 0, day.auction < 0 ? day.begin : day.auction};
}

}  // namespace sim
