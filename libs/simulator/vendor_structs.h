// The vendor's structs in the shape of one generation. A struct only ever grew at its end, so its size, which the
// generation's header gives, says which fields it has.
#pragma once
#include <cstddef>

#include SIM_GENERATION_HEADER

#define SIM_LONG_IDS (SIM_ID_BYTES == 81)
/** Where ids became longer they moved to the end of their structs, and their old place stayed as a reserve. */
#if SIM_LONG_IDS
#define SIM_SHORT_ID(name, reserve) reserve
#else
#define SIM_SHORT_ID(name, reserve) name
#endif

struct CThostFtdcDepthMarketDataField {
    char TradingDay[9];
    char SIM_SHORT_ID(InstrumentID, reserve1)[31];
    char ExchangeID[9];
    char SIM_SHORT_ID(ExchangeInstID, reserve2)[31];
    double LastPrice;
    double PreSettlementPrice;
    double PreClosePrice;
    double PreOpenInterest;
    double OpenPrice;
    double HighestPrice;
    double LowestPrice;
    int Volume;
    double Turnover;
    double OpenInterest;
    double ClosePrice;
    double SettlementPrice;
    double UpperLimitPrice;
    double LowerLimitPrice;
    double PreDelta;
    double CurrDelta;
    char UpdateTime[9];
    int UpdateMillisec;
    double BidPrice1;
    int BidVolume1;
    double AskPrice1;
    int AskVolume1;
    double BidPrice2;
    int BidVolume2;
    double AskPrice2;
    int AskVolume2;
    double BidPrice3;
    int BidVolume3;
    double AskPrice3;
    int AskVolume3;
    double BidPrice4;
    int BidVolume4;
    double AskPrice4;
    int AskVolume4;
    double BidPrice5;
    int BidVolume5;
    double AskPrice5;
    int AskVolume5;
    double AveragePrice;
#if SIM_DEPTH_BYTES >= 408
    char ActionDay[9];
#endif
#if SIM_DEPTH_BYTES >= 568
    char InstrumentID[81];
    char ExchangeInstID[81];
#endif
#if SIM_DEPTH_BYTES >= 584
    double BandingUpperPrice;
    double BandingLowerPrice;
#endif
};

struct CThostFtdcReqUserLoginField {
    char TradingDay[9];
    char BrokerID[11];
    char UserID[16];
    char Password[41];
    char UserProductInfo[11];
    char InterfaceProductInfo[11];
    char ProtocolInfo[11];
    char MacAddress[21];
    char OneTimePassword[41];
    char SIM_SHORT_ID(ClientIPAddress, reserve1)[16];
#if SIM_LOGIN_REQUEST_BYTES >= 228
    char LoginRemark[36];
    int ClientIPPort;
#endif
#if SIM_LOGIN_REQUEST_BYTES >= 264
    char ClientIPAddress[33];
#endif
#if SIM_LOGIN_REQUEST_BYTES >= 280
    char SMSCode[17];
#endif
};

struct CThostFtdcRspUserLoginField {
    char TradingDay[9];
    char LoginTime[9];
    char BrokerID[11];
    char UserID[16];
    char SystemName[41];
    int FrontID;
    int SessionID;
    char MaxOrderRef[13];
    char SHFETime[9];
    char DCETime[9];
    char CZCETime[9];
    char FFEXTime[9];
#if SIM_LOGIN_RESPONSE_BYTES >= 156
    char INETime[9];
#endif
#if SIM_LOGIN_RESPONSE_BYTES >= 196
    char SysVersion[41];
#endif
#if SIM_LOGIN_RESPONSE_BYTES >= 204
    char GFEXTime[9];
#endif
#if SIM_LOGIN_RESPONSE_BYTES >= 212
    int LoginDRIdentityID;
    int UserDRIdentityID;
#endif
#if SIM_LOGIN_RESPONSE_BYTES >= 296
    char LastLoginTime[17];
    char ReserveInfo[65];
#endif
};

struct CThostFtdcSpecificInstrumentField {
#if SIM_LONG_IDS
    char reserve1[31];
#endif
    char InstrumentID[SIM_ID_BYTES];
};

struct CThostFtdcRspInfoField {
    int ErrorID;
    char ErrorMsg[81];
};

struct CThostFtdcUserLogoutField {
    char BrokerID[11];
    char UserID[16];
};

struct CThostFtdcForQuoteRspField {
    char TradingDay[9];
    char SIM_SHORT_ID(InstrumentID, reserve1)[31];
    char ForQuoteSysID[21];
    char ForQuoteTime[9];
    char ActionDay[9];
    char ExchangeID[9];
#if SIM_LONG_IDS
    char InstrumentID[81];
#endif
};

struct CThostFtdcMulticastInstrumentField {
    int TopicID;
    char SIM_SHORT_ID(InstrumentID, reserve1)[31];
    int InstrumentNo;
    double CodePrice;
    int VolumeMultiple;
    double PriceTick;
#if SIM_LONG_IDS
    char InstrumentID[81];
#endif
};

struct CThostFtdcQryMulticastInstrumentField {
    int TopicID;
    char SIM_SHORT_ID(InstrumentID, reserve1)[31];
#if SIM_LONG_IDS
    char InstrumentID[81];
#endif
};

struct CThostFtdcFensUserInfoField {
    char BrokerID[11];
    char UserID[16];
    char LoginMode;
};

static_assert(sizeof(CThostFtdcDepthMarketDataField) == SIM_DEPTH_BYTES);
static_assert(offsetof(CThostFtdcDepthMarketDataField, LastPrice) == 80);
static_assert(offsetof(CThostFtdcDepthMarketDataField, UpdateMillisec) == 220);
static_assert(offsetof(CThostFtdcDepthMarketDataField, AveragePrice) == 384);
static_assert(offsetof(CThostFtdcDepthMarketDataField, InstrumentID) == (SIM_LONG_IDS ? 401 : 9));
static_assert(sizeof(CThostFtdcReqUserLoginField) == SIM_LOGIN_REQUEST_BYTES);
static_assert(sizeof(CThostFtdcRspUserLoginField) == SIM_LOGIN_RESPONSE_BYTES);
static_assert(offsetof(CThostFtdcRspUserLoginField, FrontID) == 88);
static_assert(sizeof(CThostFtdcSpecificInstrumentField) == (SIM_LONG_IDS ? 112 : 31));
static_assert(sizeof(CThostFtdcRspInfoField) == 88);
static_assert(sizeof(CThostFtdcUserLogoutField) == 27);
static_assert(sizeof(CThostFtdcForQuoteRspField) == (SIM_LONG_IDS ? 169 : 88));
static_assert(sizeof(CThostFtdcMulticastInstrumentField) == (SIM_LONG_IDS ? 152 : 64));
static_assert(sizeof(CThostFtdcQryMulticastInstrumentField) == (SIM_LONG_IDS ? 116 : 36));
static_assert(sizeof(CThostFtdcFensUserInfoField) == 28);
