// One row of the product table as the tick model needs it.
#pragma once
#include <cstdint>

namespace sim {

enum class Exchange { SHFE, INE, DCE, CZCE, CFFEX, GFEX };

struct Product {
    const char* code;         // as it begins an instrument id; month averages are l_f, v_f, pp_f
    Exchange exchange;
    int32_t multiplier;       // units per lot
    int32_t tickUnits;        // price tick in 1/10000 yuan
    int32_t referenceTicks;   // a price of the right order of magnitude, in price ticks
    double priceLimit;        // daily limit as a fraction of the previous settlement price
};

inline constexpr double priceUnitsPerYuan = 10000.0;

}  // namespace sim
