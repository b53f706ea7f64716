// One tick without its instrument id: what the model produces and, byte for byte, what a front sends.
#pragma once
#include <cstdint>

namespace sim {

inline constexpr int depthLevels = 5;
inline constexpr int maxIdLength = 80;

/** An absent price or amount is DBL_MAX. Days are yyyymmdd, times HH:MM:SS, empty where not known. */
struct Tick {
    double lastPrice;
    double preSettlementPrice;
    double preClosePrice;
    double preOpenInterest;
    double openPrice;
    double highestPrice;
    double lowestPrice;
    double turnover;
    double openInterest;
    double closePrice;
    double settlementPrice;
    double upperLimitPrice;
    double lowerLimitPrice;
    double preDelta;
    double currDelta;
    double averagePrice;
    double bandingUpperPrice;
    double bandingLowerPrice;
    double bidPrice[depthLevels];
    double askPrice[depthLevels];
    int32_t volume;
    int32_t updateMillisec;
    int32_t bidVolume[depthLevels];
    int32_t askVolume[depthLevels];
    char tradingDay[9];
    char actionDay[9];
    char updateTime[9];
    char exchangeId[9];
    uint8_t idLength;   // of the instrument id that follows on the wire
    uint8_t unused[3];
};
static_assert(sizeof(Tick) == 312, "the wire format counts on it");

}  // namespace sim
