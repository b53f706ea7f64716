// One market-data record in a tick ring. The same layout is stated in src/ring/tickRecord.ts.
#pragma once

#include <cstddef>
#include <cstdint>

namespace qb {

constexpr int depthLevels = 5;

struct TickRecord {
  std::uint32_t sequence;
  std::int32_t slot;
  std::int64_t receiveTimeNs;  // since the epoch, when the vendor's callback began
  std::int32_t connection;
  std::int32_t length;
  // Prices and amounts as the vendor gives them; an absent value is DBL_MAX.
  double lastPrice, preSettlementPrice, preClosePrice, preOpenInterest;
  double openPrice, highestPrice, lowestPrice;
  double turnover, openInterest;
  double closePrice, settlementPrice, upperLimitPrice, lowerLimitPrice;
  double preDelta, currDelta, averagePrice, bandingUpperPrice, bandingLowerPrice;
  double bidPrice[depthLevels], askPrice[depthLevels];
  std::int32_t volume, updateMillisec;
  std::int32_t bidVolume[depthLevels], askVolume[depthLevels];
  std::int32_t tradingDay;  // yyyymmdd, 0 empty, -1 malformed
  std::int32_t actionDay;   // the same
  std::int32_t updateTime;  // seconds since midnight, -1 empty, -2 malformed
  std::int32_t unused;
  char exchangeId[8];  // NUL-padded
};

static_assert(sizeof(TickRecord) == 320);
static_assert(offsetof(TickRecord, receiveTimeNs) == 8);
static_assert(offsetof(TickRecord, connection) == 16);
static_assert(offsetof(TickRecord, lastPrice) == 24);
static_assert(offsetof(TickRecord, turnover) == 80);
static_assert(offsetof(TickRecord, averagePrice) == 144);
static_assert(offsetof(TickRecord, bidPrice) == 168);
static_assert(offsetof(TickRecord, askPrice) == 208);
static_assert(offsetof(TickRecord, volume) == 248);
static_assert(offsetof(TickRecord, bidVolume) == 256);
static_assert(offsetof(TickRecord, tradingDay) == 296);
static_assert(offsetof(TickRecord, updateTime) == 304);
static_assert(offsetof(TickRecord, exchangeId) == 312);

}  // namespace qb
