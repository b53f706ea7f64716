// From the vendor's depth struct to a tick record. Raw: no value is judged or repaired here.
#pragma once

#include <cfloat>
#include <cstdint>
#include <cstring>

#include "tick_record.h"
#include "versions.h"

namespace qb {

inline std::size_t textLength(const char *base, vendor::Text field) noexcept {
  return ::strnlen(base + field.offset, field.bytes);
}

template <typename T>
inline T valueAt(const char *base, std::size_t offset) noexcept {
  T value;
  std::memcpy(&value, base + offset, sizeof value);
  return value;
}

inline bool twoDigits(const char *text, std::int32_t &value) noexcept {
  const unsigned high = static_cast<unsigned char>(text[0]) - '0', low = static_cast<unsigned char>(text[1]) - '0';
  value = static_cast<std::int32_t>(high * 10 + low);
  return high <= 9 && low <= 9;
}

// "20260227" → 20260227; 0 if empty, -1 if malformed.
inline std::int32_t decodeDay(const char *base, vendor::Text field) noexcept {
  const std::size_t length = textLength(base, field);
  const char *text = base + field.offset;
  if (length == 0) return 0;
  std::int32_t century, year, month, day;
  if (length != 8 || !twoDigits(text, century) || !twoDigits(text + 2, year) || !twoDigits(text + 4, month) ||
      !twoDigits(text + 6, day) || month < 1 || month > 12 || day < 1 || day > 31) {
    return -1;
  }
  return century * 1000000 + year * 10000 + month * 100 + day;
}

// "21:00:00" → seconds since midnight; -1 if empty, -2 if malformed.
inline std::int32_t decodeTime(const char *base, vendor::Text field) noexcept {
  const std::size_t length = textLength(base, field);
  const char *text = base + field.offset;
  if (length == 0) return -1;
  std::int32_t hour, minute, second;
  if (length != 8 || text[2] != ':' || text[5] != ':' || !twoDigits(text, hour) ||
      !twoDigits(text + 3, minute) || !twoDigits(text + 6, second) || hour > 23 || minute > 59 ||
      second > 59) {
    return -2;
  }
  return hour * 3600 + minute * 60 + second;
}

// Fills everything but sequence, slot, receive time and connection.
inline void decodeDepth(const char *depth, const Layout &layout, TickRecord &record) noexcept {
  namespace at = vendor::depth;
  record.length = sizeof(TickRecord);
  record.lastPrice = valueAt<double>(depth, at::lastPrice);
  record.preSettlementPrice = valueAt<double>(depth, at::preSettlementPrice);
  record.preClosePrice = valueAt<double>(depth, at::preClosePrice);
  record.preOpenInterest = valueAt<double>(depth, at::preOpenInterest);
  record.openPrice = valueAt<double>(depth, at::openPrice);
  record.highestPrice = valueAt<double>(depth, at::highestPrice);
  record.lowestPrice = valueAt<double>(depth, at::lowestPrice);
  record.turnover = valueAt<double>(depth, at::turnover);
  record.openInterest = valueAt<double>(depth, at::openInterest);
  record.closePrice = valueAt<double>(depth, at::closePrice);
  record.settlementPrice = valueAt<double>(depth, at::settlementPrice);
  record.upperLimitPrice = valueAt<double>(depth, at::upperLimitPrice);
  record.lowerLimitPrice = valueAt<double>(depth, at::lowerLimitPrice);
  record.preDelta = valueAt<double>(depth, at::preDelta);
  record.currDelta = valueAt<double>(depth, at::currDelta);
  record.averagePrice = valueAt<double>(depth, at::averagePrice);
  record.bandingUpperPrice = layout.banding ? valueAt<double>(depth, at::bandingUpperPrice) : DBL_MAX;
  record.bandingLowerPrice = layout.banding ? valueAt<double>(depth, at::bandingLowerPrice) : DBL_MAX;
  for (int i = 0; i < depthLevels; i++) {
    const std::size_t level = at::levelStride * static_cast<std::size_t>(i);
    record.bidPrice[i] = valueAt<double>(depth, at::bidPrice1 + level);
    record.askPrice[i] = valueAt<double>(depth, at::askPrice1 + level);
    record.bidVolume[i] = valueAt<std::int32_t>(depth, at::bidVolume1 + level);
    record.askVolume[i] = valueAt<std::int32_t>(depth, at::askVolume1 + level);
  }
  record.volume = valueAt<std::int32_t>(depth, at::volume);
  record.updateMillisec = valueAt<std::int32_t>(depth, at::updateMillisec);
  record.tradingDay = decodeDay(depth, at::tradingDay);
  record.actionDay = layout.actionDay ? decodeDay(depth, at::actionDay) : 0;
  record.updateTime = decodeTime(depth, at::updateTime);
  record.unused = 0;
  std::memset(record.exchangeId, 0, sizeof record.exchangeId);
  const std::size_t length = textLength(depth, at::exchangeId);
  std::memcpy(record.exchangeId, depth + at::exchangeId.offset,
              length < sizeof record.exchangeId ? length : sizeof record.exchangeId);
}

}  // namespace qb
