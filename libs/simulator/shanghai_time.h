// Shanghai time (UTC+8 since 1991, no daylight saving) and the simulated trading day.
//
// The trading day switches at 20:00, and only weekdays are trading days: Monday's begins on Friday at 20:00.
// The simulated market never closes, so every instant belongs to exactly one trading day.
#pragma once
#include <cstdint>

namespace sim {

inline constexpr int64_t msPerMinute = 60 * 1000;
inline constexpr int64_t msPerHour = 60 * msPerMinute;
inline constexpr int64_t msPerDay = 24 * msPerHour;

/** Number of the natural day in Shanghai, days since 1970-01-01. `step` is in ms since the epoch. */
int64_t naturalDay(int64_t step);

/** Number of the trading day that an instant belongs to. */
int64_t tradingDay(int64_t step);

/** First instant of a trading day: 20:00 of the weekday before it. */
int64_t tradingDayStart(int64_t day);

/** 15:00 of the weekday before a trading day: when the prices that it starts from were settled. */
int64_t previousClose(int64_t day);

/** Writes yyyymmdd and a NUL. */
void formatDay(int64_t day, char out[9]);

/** Writes HH:MM:SS and a NUL. */
void formatTime(int64_t step, char out[9]);

}  // namespace sim
