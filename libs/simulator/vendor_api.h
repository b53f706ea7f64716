// The two classes of the vendor's interface. Neither has a virtual destructor: slot 0 is the first method, and the
// order of the declarations is the ABI.
//
// A generation's header in generations/ defines
//   SIM_VERSION                what GetApiVersion answers, in the vendor's shape; undefined: there is no such function
//   SIM_FACTORY_FLAGS          bools after the factory's flow path: 1 udp, 2 and multicast, 3 and production mode
//   SIM_VTABLE                 order of the methods: 0, 1 (called A elsewhere) or 2 (B)
//   SIM_ID_BYTES               width of an instrument id with its NUL
//   SIM_…_BYTES                sizes of the structs that grew
#pragma once
#include "vendor_structs.h"

#define SIM_EXPORT __attribute__((visibility("default")))

class CThostFtdcMdSpi {
public:
    virtual void OnFrontConnected() = 0;
    virtual void OnFrontDisconnected(int reason) = 0;
    virtual void OnHeartBeatWarning(int lapse) = 0;
    virtual void OnRspUserLogin(CThostFtdcRspUserLoginField* login, CThostFtdcRspInfoField* info, int requestId,
                                bool last) = 0;
    virtual void OnRspUserLogout(CThostFtdcUserLogoutField* logout, CThostFtdcRspInfoField* info, int requestId,
                                 bool last) = 0;
#if SIM_VTABLE >= 2
    virtual void OnRspQryMulticastInstrument(CThostFtdcMulticastInstrumentField* instrument,
                                             CThostFtdcRspInfoField* info, int requestId, bool last) = 0;
#endif
    virtual void OnRspError(CThostFtdcRspInfoField* info, int requestId, bool last) = 0;
    virtual void OnRspSubMarketData(CThostFtdcSpecificInstrumentField* instrument, CThostFtdcRspInfoField* info,
                                    int requestId, bool last) = 0;
    virtual void OnRspUnSubMarketData(CThostFtdcSpecificInstrumentField* instrument, CThostFtdcRspInfoField* info,
                                      int requestId, bool last) = 0;
#if SIM_VTABLE >= 1
    virtual void OnRspSubForQuoteRsp(CThostFtdcSpecificInstrumentField* instrument, CThostFtdcRspInfoField* info,
                                     int requestId, bool last) = 0;
    virtual void OnRspUnSubForQuoteRsp(CThostFtdcSpecificInstrumentField* instrument, CThostFtdcRspInfoField* info,
                                       int requestId, bool last) = 0;
#endif
    virtual void OnRtnDepthMarketData(CThostFtdcDepthMarketDataField* tick) = 0;
#if SIM_VTABLE >= 1
    virtual void OnRtnForQuoteRsp(CThostFtdcForQuoteRspField* request) = 0;
#endif

protected:
    ~CThostFtdcMdSpi() = default;
};

class SIM_EXPORT CThostFtdcMdApi {
public:
#if SIM_FACTORY_FLAGS == 1
    static CThostFtdcMdApi* CreateFtdcMdApi(const char* flowPath, bool udp);
#elif SIM_FACTORY_FLAGS == 2
    static CThostFtdcMdApi* CreateFtdcMdApi(const char* flowPath, bool udp, bool multicast);
#else
    static CThostFtdcMdApi* CreateFtdcMdApi(const char* flowPath, bool udp, bool multicast, bool production);
#endif
#ifdef SIM_VERSION
    static const char* GetApiVersion();
#endif

    virtual void Release() = 0;
    virtual void Init() = 0;
    virtual int Join() = 0;
    virtual const char* GetTradingDay() = 0;
    virtual void RegisterFront(char* address) = 0;
    virtual void RegisterNameServer(char* address) = 0;
#if SIM_VTABLE >= 1
    virtual void RegisterFensUserInfo(CThostFtdcFensUserInfoField* info) = 0;
#endif
    virtual void RegisterSpi(CThostFtdcMdSpi* spi) = 0;
    virtual int SubscribeMarketData(char* ids[], int count) = 0;
    virtual int UnSubscribeMarketData(char* ids[], int count) = 0;
#if SIM_VTABLE >= 1
    virtual int SubscribeForQuoteRsp(char* ids[], int count) = 0;
    virtual int UnSubscribeForQuoteRsp(char* ids[], int count) = 0;
#endif
    virtual int ReqUserLogin(CThostFtdcReqUserLoginField* login, int requestId) = 0;
    virtual int ReqUserLogout(CThostFtdcUserLogoutField* logout, int requestId) = 0;
#if SIM_VTABLE >= 2
    virtual int ReqQryMulticastInstrument(CThostFtdcQryMulticastInstrumentField* query, int requestId) = 0;
#endif

protected:
    __attribute__((visibility("hidden"))) CThostFtdcMdApi();
    ~CThostFtdcMdApi() = default;
};
