// What belongs to one generation of the vendor's library: version string, structs, shape of the classes.
// Another generation is another such header, chosen by -DSIM_GENERATION_HEADER; the rest of the code compiles
// against the names declared here.
#pragma once
#include <cstddef>

#define SIM_API_VERSION "sim v6.7.13_20260225 14:16:30.12079"
/** Bools after the flow path in the factory's signature: udp, multicast, production mode. */
#define SIM_FACTORY_FLAGS 3
/** Whether the classes have the multicast query, which moves the slots after it. */
#define SIM_HAS_MULTICAST_QUERY 1

struct CThostFtdcDepthMarketDataField {
    char TradingDay[9];
    char reserve1[31];
    char ExchangeID[9];
    char reserve2[31];
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
    char ActionDay[9];
    char InstrumentID[81];
    char ExchangeInstID[81];
    double BandingUpperPrice;
    double BandingLowerPrice;
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
    char reserve1[16];
    char LoginRemark[36];
    int ClientIPPort;
    char ClientIPAddress[33];
    char SMSCode[17];
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
    char INETime[9];
    char SysVersion[41];
    char GFEXTime[9];
    int LoginDRIdentityID;
    int UserDRIdentityID;
    char LastLoginTime[17];
    char ReserveInfo[65];
};

struct CThostFtdcSpecificInstrumentField {
    char reserve1[31];
    char InstrumentID[81];
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
    char reserve1[31];
    char ForQuoteSysID[21];
    char ForQuoteTime[9];
    char ActionDay[9];
    char ExchangeID[9];
    char InstrumentID[81];
};

struct CThostFtdcMulticastInstrumentField {
    int TopicID;
    char reserve1[31];
    int InstrumentNo;
    double CodePrice;
    int VolumeMultiple;
    double PriceTick;
    char InstrumentID[81];
};

struct CThostFtdcQryMulticastInstrumentField {
    int TopicID;
    char reserve1[31];
    char InstrumentID[81];
};

struct CThostFtdcFensUserInfoField {
    char BrokerID[11];
    char UserID[16];
    char LoginMode;
};

static_assert(sizeof(CThostFtdcDepthMarketDataField) == 584);
static_assert(offsetof(CThostFtdcDepthMarketDataField, LastPrice) == 80);
static_assert(offsetof(CThostFtdcDepthMarketDataField, UpdateMillisec) == 220);
static_assert(offsetof(CThostFtdcDepthMarketDataField, AveragePrice) == 384);
static_assert(offsetof(CThostFtdcDepthMarketDataField, InstrumentID) == 401);
static_assert(offsetof(CThostFtdcDepthMarketDataField, BandingUpperPrice) == 568);
static_assert(sizeof(CThostFtdcReqUserLoginField) == 280);
static_assert(sizeof(CThostFtdcRspUserLoginField) == 296);
static_assert(offsetof(CThostFtdcRspUserLoginField, FrontID) == 88);
static_assert(offsetof(CThostFtdcRspUserLoginField, LoginDRIdentityID) == 204);
static_assert(sizeof(CThostFtdcSpecificInstrumentField) == 112);
static_assert(sizeof(CThostFtdcRspInfoField) == 88);
static_assert(sizeof(CThostFtdcUserLogoutField) == 27);
static_assert(sizeof(CThostFtdcForQuoteRspField) == 169);
static_assert(sizeof(CThostFtdcMulticastInstrumentField) == 152);
static_assert(sizeof(CThostFtdcQryMulticastInstrumentField) == 116);
static_assert(sizeof(CThostFtdcFensUserInfoField) == 28);
