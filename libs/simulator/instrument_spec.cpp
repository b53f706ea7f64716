#include "instrument_spec.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "tick.h"

namespace sim {
namespace {

bool isLetter(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}
bool isDigit(char c) {
    return c >= '0' && c <= '9';
}

const Product* productOf(std::string_view code, const ProductTable& products) {
    const auto found = products.find(code);
    return found == products.end() ? nullptr : &found->second;
}

/** Takes the characters that satisfy `accept` off the front of `rest`. */
template <typename Accept>
std::string_view take(std::string_view& rest, Accept accept) {
    const auto end = std::find_if_not(rest.begin(), rest.end(), accept);
    const std::string_view taken = rest.substr(0, static_cast<size_t>(end - rest.begin()));
    rest.remove_prefix(taken.size());
    return taken;
}

void skip(std::string_view& rest, std::string_view text) {
    if (rest.substr(0, text.size()) == text) rest.remove_prefix(text.size());
}

/** Intrinsic value plus a time value that fades away from the strike; never below one tick. */
double optionPrice(double underlying, double strike, bool call) {
    const double intrinsic = std::max(0.0, call ? underlying - strike : strike - underlying);
    return intrinsic + 0.025 * underlying * std::exp(-std::abs(strike - underlying) / (0.08 * underlying));
}

}  // namespace

std::optional<InstrumentSpec> specOf(std::string_view id, const ProductTable& products) {
    if (id.empty() || id.size() > static_cast<size_t>(maxIdLength)) return std::nullopt;
    std::string_view rest = id;
    const std::string_view letters = take(rest, isLetter);
    const std::string_view delivery = take(rest, isDigit);
    const bool monthAverage = rest == "F";
    if (monthAverage) rest = {};
    const Product* product = productOf(monthAverage ? std::string(letters) + "_f" : std::string(letters), products);
    if (product == nullptr || delivery.size() != (product->exchange == Exchange::CZCE ? 3u : 4u)) return std::nullopt;
    const int month = (delivery[delivery.size() - 2] - '0') * 10 + delivery.back() - '0';
    if (month < 1 || month > 12) return std::nullopt;

    InstrumentSpec spec{std::string(id),     product->exchange, product->multiplier, product->tickUnits, product->referenceTicks,
                        product->priceLimit, product->hours,    product->lastDayHours};
    // A code that only options have is that of no future.
    const bool hasFutures = product->underlying.empty();
    if (rest.empty()) return hasFutures ? std::optional(spec) : std::nullopt;

    skip(rest, "-");
    skip(rest, "MS");
    skip(rest, "-");
    if (rest.empty() || (rest[0] != 'C' && rest[0] != 'P')) return std::nullopt;
    const bool call = rest[0] == 'C';
    rest.remove_prefix(1);
    skip(rest, "-");
    if (rest.empty() || rest.size() > 9 || !std::all_of(rest.begin(), rest.end(), isDigit)) return std::nullopt;
    const double strike = std::strtod(std::string(rest).c_str(), nullptr);
    // Options share the underlying's multiplier, but for those with a code of their own.
    const Product* underlying = hasFutures ? product : productOf(product->underlying, products);
    if (underlying == nullptr) return std::nullopt;
    const double underlyingPrice = underlying->referenceTicks * (underlying->tickUnits / priceUnitsPerYuan);
    const double price = optionPrice(underlyingPrice, strike, call);
    const double ticks = std::round(price * priceUnitsPerYuan / spec.tickUnits);
    spec.referenceTicks = static_cast<int32_t>(std::clamp(ticks, 1.0, 1e9));
    // An option may move by as much as its underlying.
    const double limit = std::round(underlying->priceLimit * underlyingPrice * priceUnitsPerYuan / spec.tickUnits);
    spec.limitTicks = static_cast<int32_t>(std::clamp(limit, 1.0, 1e9));
    return spec;
}

}  // namespace sim
