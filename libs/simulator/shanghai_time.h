// Shanghai time (UTC+8 since 1991, no daylight saving). Days are counted since 1970-01-01.
#pragma once
#include <cstdint>

namespace sim {

inline constexpr int64_t msPerMinute = 60 * 1000;
inline constexpr int64_t msPerHour = 60 * msPerMinute;
inline constexpr int64_t msPerDay = 24 * msPerHour;
inline constexpr int64_t shanghaiOffset = 8 * msPerHour;
/** Time of day from which an instant is accounted to the next trading day. */
inline constexpr int64_t tradingDaySwitch = 20 * msPerHour;

/** Number of the natural day in Shanghai, days since 1970-01-01. `step` is in ms since the epoch. */
int64_t naturalDay(int64_t step);

/** Monday to Friday. */
bool isWeekday(int64_t day);

/** Writes yyyymmdd and a NUL. */
void formatDay(int64_t day, char out[9]);

/** Writes HH:MM:SS and a NUL. */
void formatTime(int64_t step, char out[9]);

}  // namespace sim
