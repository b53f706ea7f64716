// One row of the product table as the tick model needs it.
#pragma once
#include <cstdint>

namespace sim {

enum class Exchange { SHFE, INE, DCE, CZCE, CFFEX, GFEX };

/** Day sessions: commodities, CFFEX equity indices, CFFEX bonds. */
enum class DayHours : uint8_t { commodity, equity, bond };
/** Night sessions, by their end. */
enum class NightHours : uint8_t { none, to2300, to0100, to0230 };

inline constexpr int dayHoursCount = 3;
inline constexpr int nightHoursCount = 4;

struct TradingHours {
    DayHours day;
    NightHours night;
};

struct Product {
    const char* code;         // as it begins an instrument id; month averages are l_f, v_f, pp_f
    Exchange exchange;
    TradingHours hours;
    int32_t multiplier;       // units per lot
    int32_t tickUnits;        // price tick in 1/10000 yuan
    int32_t referenceTicks;   // a price of the right order of magnitude, in price ticks
    double priceLimit;        // daily limit as a fraction of the previous settlement price
};

inline constexpr double priceUnitsPerYuan = 10000.0;

}  // namespace sim
