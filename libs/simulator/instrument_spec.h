// What the model has to know about an instrument, from its id and the product table.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "product.h"

namespace sim {

struct InstrumentSpec {
    std::string id;
    Exchange exchange;
    int32_t multiplier;
    int32_t tickUnits;
    int32_t referenceTicks;
    double priceLimit;         // fraction of the previous settlement price
    TradingHours hours;
    TradingHours lastDayHours;
    int32_t limitTicks = 0;    // where it is not 0: the daily limit as an amount, as options have it
};

/**
 * Parses futures, month averages (`l2610F`) and options (`cu2505C70000`, `m2505-C-3000`) of the table's products.
 * Whether the contract is listed is not asked. Nothing for combinations and for what cannot be an id.
 */
std::optional<InstrumentSpec> specOf(std::string_view id, const ProductTable& products);

}  // namespace sim
