// The two classes of the vendor's interface. Neither has a virtual destructor: slot 0 is the first method, and the
// order of the declarations is the ABI.
#pragma once
#include SIM_GENERATION_HEADER

class CThostFtdcMdSpi {
public:
    virtual void OnFrontConnected() = 0;
    virtual void OnFrontDisconnected(int reason) = 0;
    virtual void OnHeartBeatWarning(int lapse) = 0;
    virtual void OnRspUserLogin(CThostFtdcRspUserLoginField* login, CThostFtdcRspInfoField* info, int requestId,
                                bool last) = 0;
    virtual void OnRspUserLogout(CThostFtdcUserLogoutField* logout, CThostFtdcRspInfoField* info, int requestId,
                                 bool last) = 0;
#if SIM_HAS_MULTICAST_QUERY
    virtual void OnRspQryMulticastInstrument(CThostFtdcMulticastInstrumentField* instrument,
                                             CThostFtdcRspInfoField* info, int requestId, bool last) = 0;
#endif
    virtual void OnRspError(CThostFtdcRspInfoField* info, int requestId, bool last) = 0;
    virtual void OnRspSubMarketData(CThostFtdcSpecificInstrumentField* instrument, CThostFtdcRspInfoField* info,
                                    int requestId, bool last) = 0;
    virtual void OnRspUnSubMarketData(CThostFtdcSpecificInstrumentField* instrument, CThostFtdcRspInfoField* info,
                                      int requestId, bool last) = 0;
    virtual void OnRspSubForQuoteRsp(CThostFtdcSpecificInstrumentField* instrument, CThostFtdcRspInfoField* info,
                                     int requestId, bool last) = 0;
    virtual void OnRspUnSubForQuoteRsp(CThostFtdcSpecificInstrumentField* instrument, CThostFtdcRspInfoField* info,
                                       int requestId, bool last) = 0;
    virtual void OnRtnDepthMarketData(CThostFtdcDepthMarketDataField* tick) = 0;
    virtual void OnRtnForQuoteRsp(CThostFtdcForQuoteRspField* request) = 0;

protected:
    ~CThostFtdcMdSpi() = default;
};

class CThostFtdcMdApi {
public:
#if SIM_FACTORY_FLAGS == 3
    __attribute__((visibility("default"))) static CThostFtdcMdApi* CreateFtdcMdApi(const char* flowPath, bool udp,
                                                                                   bool multicast, bool production);
#else
    __attribute__((visibility("default"))) static CThostFtdcMdApi* CreateFtdcMdApi(const char* flowPath, bool udp,
                                                                                   bool multicast);
#endif
    __attribute__((visibility("default"))) static const char* GetApiVersion();

    virtual void Release() = 0;
    virtual void Init() = 0;
    virtual int Join() = 0;
    virtual const char* GetTradingDay() = 0;
    virtual void RegisterFront(char* address) = 0;
    virtual void RegisterNameServer(char* address) = 0;
    virtual void RegisterFensUserInfo(CThostFtdcFensUserInfoField* info) = 0;
    virtual void RegisterSpi(CThostFtdcMdSpi* spi) = 0;
    virtual int SubscribeMarketData(char* ids[], int count) = 0;
    virtual int UnSubscribeMarketData(char* ids[], int count) = 0;
    virtual int SubscribeForQuoteRsp(char* ids[], int count) = 0;
    virtual int UnSubscribeForQuoteRsp(char* ids[], int count) = 0;
    virtual int ReqUserLogin(CThostFtdcReqUserLoginField* login, int requestId) = 0;
    virtual int ReqUserLogout(CThostFtdcUserLogoutField* logout, int requestId) = 0;
#if SIM_HAS_MULTICAST_QUERY
    virtual int ReqQryMulticastInstrument(CThostFtdcQryMulticastInstrumentField* query, int requestId) = 0;
#endif

protected:
    ~CThostFtdcMdApi() = default;
};
