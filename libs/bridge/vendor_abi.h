// The vendor's C++ interface, stated as what g++ on x86-64 expects: the order of the virtual functions and the
// offsets of the fields that are used. No vendor header is needed. Neither class has a virtual destructor, so
// the first function is entry 0.
//
// Three orders of the callback class exist: that of 2013; A up to the builds of early March 2019, with quote requests; B
// from late March 2019 on, which adds OnRspQryMulticastInstrument as entry 5. Both sides have builds of 6.3.15 and 6.3.16. Of the request class there are two: that of 2013,
// and the later one, which only grew at its end, beyond what is used here.
#pragma once

#include <cstddef>

namespace qb::vendor {

// CThostFtdcMdApi of 2013, all entries.
class Api2013 {
 public:
  virtual void Release() = 0;
  virtual void Init() = 0;
  virtual int Join() = 0;
  virtual const char *GetTradingDay() = 0;
  virtual void RegisterFront(char *address) = 0;
  virtual void RegisterNameServer(char *address) = 0;
  virtual void RegisterSpi(void *spi) = 0;
  virtual int SubscribeMarketData(char **ids, int count) = 0;
  virtual int UnSubscribeMarketData(char **ids, int count) = 0;
  virtual int ReqUserLogin(void *request, int requestId) = 0;
  virtual int ReqUserLogout(void *request, int requestId) = 0;

 protected:
  ~Api2013() = default;
};

// CThostFtdcMdApi of all later versions, entries 0 to 13.
class Api {
 public:
  virtual void Release() = 0;
  virtual void Init() = 0;
  virtual int Join() = 0;
  virtual const char *GetTradingDay() = 0;
  virtual void RegisterFront(char *address) = 0;
  virtual void RegisterNameServer(char *address) = 0;
  virtual void RegisterFensUserInfo(void *info) = 0;
  virtual void RegisterSpi(void *spi) = 0;
  virtual int SubscribeMarketData(char **ids, int count) = 0;
  virtual int UnSubscribeMarketData(char **ids, int count) = 0;
  virtual int SubscribeForQuoteRsp(char **ids, int count) = 0;
  virtual int UnSubscribeForQuoteRsp(char **ids, int count) = 0;
  virtual int ReqUserLogin(void *request, int requestId) = 0;
  virtual int ReqUserLogout(void *request, int requestId) = 0;

 protected:
  ~Api() = default;
};

// CThostFtdcMdSpi of 2013: 9 entries.
class Spi2013 {
 public:
  virtual void OnFrontConnected() = 0;
  virtual void OnFrontDisconnected(int reason) = 0;
  virtual void OnHeartBeatWarning(int lapseSeconds) = 0;
  virtual void OnRspUserLogin(void *login, void *info, int requestId, bool last) = 0;
  virtual void OnRspUserLogout(void *logout, void *info, int requestId, bool last) = 0;
  virtual void OnRspError(void *info, int requestId, bool last) = 0;
  virtual void OnRspSubMarketData(void *instrument, void *info, int requestId, bool last) = 0;
  virtual void OnRspUnSubMarketData(void *instrument, void *info, int requestId, bool last) = 0;
  virtual void OnRtnDepthMarketData(void *depth) = 0;

 protected:
  ~Spi2013() = default;
};

// CThostFtdcMdSpi up to 6.3.15: 12 entries.
class SpiA {
 public:
  virtual void OnFrontConnected() = 0;
  virtual void OnFrontDisconnected(int reason) = 0;
  virtual void OnHeartBeatWarning(int lapseSeconds) = 0;
  virtual void OnRspUserLogin(void *login, void *info, int requestId, bool last) = 0;
  virtual void OnRspUserLogout(void *logout, void *info, int requestId, bool last) = 0;
  virtual void OnRspError(void *info, int requestId, bool last) = 0;
  virtual void OnRspSubMarketData(void *instrument, void *info, int requestId, bool last) = 0;
  virtual void OnRspUnSubMarketData(void *instrument, void *info, int requestId, bool last) = 0;
  virtual void OnRspSubForQuoteRsp(void *instrument, void *info, int requestId, bool last) = 0;
  virtual void OnRspUnSubForQuoteRsp(void *instrument, void *info, int requestId, bool last) = 0;
  virtual void OnRtnDepthMarketData(void *depth) = 0;
  virtual void OnRtnForQuoteRsp(void *forQuote) = 0;

 protected:
  ~SpiA() = default;
};

// CThostFtdcMdSpi of order B: 13 entries.
class SpiB {
 public:
  virtual void OnFrontConnected() = 0;
  virtual void OnFrontDisconnected(int reason) = 0;
  virtual void OnHeartBeatWarning(int lapseSeconds) = 0;
  virtual void OnRspUserLogin(void *login, void *info, int requestId, bool last) = 0;
  virtual void OnRspUserLogout(void *logout, void *info, int requestId, bool last) = 0;
  virtual void OnRspQryMulticastInstrument(void *instrument, void *info, int requestId, bool last) = 0;
  virtual void OnRspError(void *info, int requestId, bool last) = 0;
  virtual void OnRspSubMarketData(void *instrument, void *info, int requestId, bool last) = 0;
  virtual void OnRspUnSubMarketData(void *instrument, void *info, int requestId, bool last) = 0;
  virtual void OnRspSubForQuoteRsp(void *instrument, void *info, int requestId, bool last) = 0;
  virtual void OnRspUnSubForQuoteRsp(void *instrument, void *info, int requestId, bool last) = 0;
  virtual void OnRtnDepthMarketData(void *depth) = 0;
  virtual void OnRtnForQuoteRsp(void *forQuote) = 0;

 protected:
  ~SpiB() = default;
};

// The factory is a static member of CThostFtdcMdApi. The multicast flag came after 2013, the last one (production
// rather than evaluation back ends) with 6.7.11. What it returns is an Api or an Api2013.
using CreateBbb = void *(*)(const char *flowPath, bool udp, bool multicast, bool production);
using CreateBb = void *(*)(const char *flowPath, bool udp, bool multicast);
using CreateB = void *(*)(const char *flowPath, bool udp);
using GetVersion = const char *(*)();
constexpr const char *createBbbSymbol = "_ZN15CThostFtdcMdApi15CreateFtdcMdApiEPKcbbb";
constexpr const char *createBbSymbol = "_ZN15CThostFtdcMdApi15CreateFtdcMdApiEPKcbb";
constexpr const char *createBSymbol = "_ZN15CThostFtdcMdApi15CreateFtdcMdApiEPKcb";
constexpr const char *createStockOptionsSymbol = "_ZN8ctp_sopt15CThostFtdcMdApi15CreateFtdcMdApiEPKcbb";
constexpr const char *requestVtableSymbol = "_ZTV15CThostFtdcMdApi";
constexpr const char *multicastQuerySymbol =
    "_ZN14CFtdcMdApiImpl25ReqQryMulticastInstrumentEP37CThostFtdcQryMulticastInstrumentFieldi";
constexpr const char *getVersionSymbol = "_ZN15CThostFtdcMdApi13GetApiVersionEv";

// A char array inside a vendor struct.
struct Text {
  std::size_t offset, bytes;
};

// CThostFtdcDepthMarketDataField: the part that is the same in every version. Level k adds 32 (k - 1).
namespace depth {
constexpr Text tradingDay{0, 9}, exchangeId{40, 9}, updateTime{208, 9};
constexpr Text actionDay{392, 9};  // not in 2013
constexpr std::size_t lastPrice = 80, preSettlementPrice = 88, preClosePrice = 96, preOpenInterest = 104,
                      openPrice = 112, highestPrice = 120, lowestPrice = 128, volume = 136, turnover = 144,
                      openInterest = 152, closePrice = 160, settlementPrice = 168, upperLimitPrice = 176,
                      lowerLimitPrice = 184, preDelta = 192, currDelta = 200, updateMillisec = 220,
                      bidPrice1 = 224, bidVolume1 = 232, askPrice1 = 240, askVolume1 = 248, levelStride = 32,
                      averagePrice = 384, bandingUpperPrice = 568, bandingLowerPrice = 576;
}  // namespace depth

// CThostFtdcReqUserLoginField; unused tails must be zero, and newer versions are longer.
namespace login_request {
constexpr std::size_t allocatedBytes = 512;
constexpr Text brokerId{9, 11}, userId{20, 16}, password{36, 41};
}  // namespace login_request

// CThostFtdcRspUserLoginField.
namespace login_response {
constexpr Text tradingDay{0, 9}, systemName{45, 41};
constexpr std::size_t frontId = 88, sessionId = 92;
}  // namespace login_response

// CThostFtdcRspInfoField.
namespace info {
constexpr std::size_t errorId = 0;
constexpr Text message{4, 81};
}  // namespace info

}  // namespace qb::vendor
