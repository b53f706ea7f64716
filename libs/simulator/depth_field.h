// From the model's tick to the vendor's struct of the generation being built.
#pragma once
#include <cstring>
#include <string_view>

#include "fixed_text.h"
#include "tick.h"
#include "vendor_structs.h"

namespace sim {

/** `depth` is all zero; its reserved fields stay so. */
inline void fillDepth(const Tick& tick, std::string_view id, CThostFtdcDepthMarketDataField& depth) {
    std::memcpy(depth.TradingDay, tick.tradingDay, sizeof depth.TradingDay);
    std::memcpy(depth.ExchangeID, tick.exchangeId, sizeof depth.ExchangeID);
    std::memcpy(depth.UpdateTime, tick.updateTime, sizeof depth.UpdateTime);
    copyText(depth.InstrumentID, id);
    depth.LastPrice = tick.lastPrice;
    depth.PreSettlementPrice = tick.preSettlementPrice;
    depth.PreClosePrice = tick.preClosePrice;
    depth.PreOpenInterest = tick.preOpenInterest;
    depth.OpenPrice = tick.openPrice;
    depth.HighestPrice = tick.highestPrice;
    depth.LowestPrice = tick.lowestPrice;
    depth.Volume = tick.volume;
    depth.Turnover = tick.turnover;
    depth.OpenInterest = tick.openInterest;
    depth.ClosePrice = tick.closePrice;
    depth.SettlementPrice = tick.settlementPrice;
    depth.UpperLimitPrice = tick.upperLimitPrice;
    depth.LowerLimitPrice = tick.lowerLimitPrice;
    depth.PreDelta = tick.preDelta;
    depth.CurrDelta = tick.currDelta;
    depth.UpdateMillisec = tick.updateMillisec;
    depth.BidPrice1 = tick.bidPrice[0], depth.BidVolume1 = tick.bidVolume[0];
    depth.BidPrice2 = tick.bidPrice[1], depth.BidVolume2 = tick.bidVolume[1];
    depth.BidPrice3 = tick.bidPrice[2], depth.BidVolume3 = tick.bidVolume[2];
    depth.BidPrice4 = tick.bidPrice[3], depth.BidVolume4 = tick.bidVolume[3];
    depth.BidPrice5 = tick.bidPrice[4], depth.BidVolume5 = tick.bidVolume[4];
    depth.AskPrice1 = tick.askPrice[0], depth.AskVolume1 = tick.askVolume[0];
    depth.AskPrice2 = tick.askPrice[1], depth.AskVolume2 = tick.askVolume[1];
    depth.AskPrice3 = tick.askPrice[2], depth.AskVolume3 = tick.askVolume[2];
    depth.AskPrice4 = tick.askPrice[3], depth.AskVolume4 = tick.askVolume[3];
    depth.AskPrice5 = tick.askPrice[4], depth.AskVolume5 = tick.askVolume[4];
    depth.AveragePrice = tick.averagePrice;
#if SIM_DEPTH_BYTES >= 408
    std::memcpy(depth.ActionDay, tick.actionDay, sizeof depth.ActionDay);
#endif
#if SIM_DEPTH_BYTES >= 584
    depth.BandingUpperPrice = tick.bandingUpperPrice;
    depth.BandingLowerPrice = tick.bandingLowerPrice;
#endif
}

}  // namespace sim
