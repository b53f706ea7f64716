// Products as the tick model needs them.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace sim {

enum class Exchange { SHFE, INE, DCE, CZCE, CFFEX, GFEX };

/** Minutes since midnight in Shanghai; the end is not part of it. */
struct Period {
    int32_t from, to;
};

inline constexpr int maxDaySessions = 6;

/** Unless told otherwise, those of a commodity without a night. Day sessions are in order, from 7:00 to 18:00. */
struct TradingHours {
    int32_t dayCount = 3;
    Period day[maxDaySessions] = {{9 * 60, 10 * 60 + 15}, {10 * 60 + 30, 11 * 60 + 30}, {13 * 60 + 30, 15 * 60}};
    int32_t nightMinutes = 0;   // from 21:00 of the evening before on

    bool operator==(const TradingHours& other) const {
        if (dayCount != other.dayCount || nightMinutes != other.nightMinutes) return false;
        for (int i = 0; i < dayCount; ++i) {
            if (day[i].from != other.day[i].from || day[i].to != other.day[i].to) return false;
        }
        return true;
    }
};

struct Product {
    Exchange exchange;
    int32_t multiplier;       // units per lot
    int32_t tickUnits;        // price tick in 1/10000 yuan
    int32_t referenceTicks;   // a price of the right order of magnitude, in price ticks
    double priceLimit;        // daily limit as a fraction of the previous settlement price
    std::string underlying{}; // of a code that only options have: that of the futures
    TradingHours hours{};
    TradingHours lastDayHours{};   // of a contract's last trading day
};

/** By the code as it begins an instrument id; month averages are l_f, v_f, pp_f. */
using ProductTable = std::map<std::string, Product, std::less<>>;

/** The products that ship with the package, all of them with the hours that nobody told. */
const ProductTable& builtInProducts();

inline constexpr double priceUnitsPerYuan = 10000.0;

}  // namespace sim
