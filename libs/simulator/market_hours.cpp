#include "market_hours.h"

#include <algorithm>

#include "shanghai_time.h"

namespace sim {
namespace {

struct Period {
    int32_t from, to;   // minutes since midnight
};
constexpr int32_t at(int hours, int minutes) {
    return hours * 60 + minutes;
}

struct DaySchedule {
    int count;
    Period periods[3];
    int32_t auction;
};
// In the order of DayHours.
constexpr DaySchedule daySchedules[] = {
    {3, {{at(9, 0), at(10, 15)}, {at(10, 30), at(11, 30)}, {at(13, 30), at(15, 0)}}, at(8, 59)},
    {2, {{at(9, 30), at(11, 30)}, {at(13, 0), at(15, 0)}, {}}, at(9, 29)},
    {2, {{at(9, 30), at(11, 30)}, {at(13, 0), at(15, 15)}, {}}, at(9, 29)},
};
// In the order of NightHours.
constexpr int32_t nightMinutes[] = {0, 120, 240, 330};
constexpr int32_t nightOpen = at(21, 0);
constexpr int32_t nightAuction = at(20, 59);

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

TradingDaySessions MarketHours::make(const TradingHours& kind, int64_t day) const {
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
    const DaySchedule& schedule = daySchedules[static_cast<int>(kind.day)];
    made.closeBefore = midnight(before) + schedule.periods[schedule.count - 1].to * msPerMinute;
    made.auction = midnight(day) + schedule.auction * msPerMinute;
    bool holidayBetween = false;
    for (int64_t between = before + 1; between < day; ++between) holidayBetween |= isWeekday(between);
    if (kind.night != NightHours::none && !holidayBetween) {
        const int64_t open = midnight(before) + nightOpen * msPerMinute;
        add(open, open + nightMinutes[static_cast<int>(kind.night)] * msPerMinute);
        made.auction = midnight(before) + nightAuction * msPerMinute;
    }
    for (int i = 0; i < schedule.count; ++i) {
        add(midnight(day) + schedule.periods[i].from * msPerMinute, midnight(day) + schedule.periods[i].to * msPerMinute);
    }
    return made;
}

const TradingDaySessions& MarketHours::sessions(const TradingHours& kind, int64_t day) {
    const int index = static_cast<int>(kind.day) * nightHoursCount + static_cast<int>(kind.night);
    TradingDaySessions& kept = kept_[index][day & (keptDays - 1)];
    if (kept.day != day) kept = make(kind, day);
    return kept;
}

int64_t MarketHours::openFrom(const TradingHours& kind, int64_t step) {
    if (alwaysOpen()) return step;
    for (int64_t day = tradingDay(step);; day = tradingDayAfter(day)) {
        const TradingDaySessions& found = sessions(kind, day);
        for (int i = 0; i < found.count; ++i) {
            if (step < found.sessions[i].end) return std::max(step, found.sessions[i].start);
        }
    }
}

int64_t MarketHours::openUntil(const TradingHours& kind, int64_t step) {
    if (alwaysOpen()) return step;
    for (int64_t day = tradingDay(step);; day = tradingDayBefore(day)) {
        const TradingDaySessions& found = sessions(kind, day);
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
