// The exported face of the simulated library: factory, version, and the object behind the vendor's vtable. This is
// the one file that is compiled for each generation.
#include <cstdlib>
#include <cstring>
#include <memory>

#include "session_thread.h"
#include "spi_caller.h"

using namespace sim;

// Named as the vendor's, for what is exported of it tells its generation.
class CFtdcMdApiImpl final : public CThostFtdcMdApi {
public:
    explicit CFtdcMdApiImpl(const char* flowPath) {
        auto caller = std::make_unique<SpiCaller>();
        caller_ = caller.get();
        session_ = std::make_shared<Session>(flowPath == nullptr ? "" : flowPath, std::move(caller));
    }

    void Release() override {
        const std::shared_ptr<Session> session = session_;
        SessionThread thread = std::move(thread_);
        delete this;
        thread.end(*session);
    }

    void Init() override { thread_.begin(session_); }

    int Join() override {
        const std::shared_ptr<Session> session = session_;
        session->join();
        return 0;
    }

    const char* GetTradingDay() override { return session_->tradingDay(); }
    void RegisterFront(char* address) override { session_->addFront(address); }
    // Access by a broker directory is a service of its own; there is none to ask.
    void RegisterNameServer(char*) override {}
#if SIM_VTABLE >= 1
    void RegisterFensUserInfo(CThostFtdcFensUserInfoField*) override {}
#endif
    void RegisterSpi(CThostFtdcMdSpi* spi) override { caller_->setSpi(spi); }

    int SubscribeMarketData(char* ids[], int count) override { return submitIds(wire::Type::subscribe, ids, count); }
    int UnSubscribeMarketData(char* ids[], int count) override {
        return submitIds(wire::Type::unsubscribe, ids, count);
    }
#if SIM_VTABLE >= 1
    int SubscribeForQuoteRsp(char* ids[], int count) override {
        return submitIds(wire::Type::subscribeForQuote, ids, count);
    }
    int UnSubscribeForQuoteRsp(char* ids[], int count) override {
        return submitIds(wire::Type::unsubscribeForQuote, ids, count);
    }
#endif

    int ReqUserLogin(CThostFtdcReqUserLoginField* login, int requestId) override {
        Request request{wire::Type::login, requestId};
        if (login != nullptr) {
            request.brokerId = textOf(login->BrokerID);
            request.userId = textOf(login->UserID);
            request.password = textOf(login->Password);
        }
        return session_->submit(std::move(request));
    }

    int ReqUserLogout(CThostFtdcUserLogoutField* logout, int requestId) override {
        Request request{wire::Type::logout, requestId};
        if (logout != nullptr) {
            request.brokerId = textOf(logout->BrokerID);
            request.userId = textOf(logout->UserID);
        }
        return session_->submit(std::move(request));
    }

#if SIM_VTABLE >= 2
    // Plain fronts give no useful answer to it.
    SIM_EXPORT int ReqQryMulticastInstrument(CThostFtdcQryMulticastInstrumentField*, int) override {
        return session_->isConnected() ? requestSent : requestNotConnected;
    }
#endif

private:
    ~CFtdcMdApiImpl() = default;

    /** An id that does not fit the generation's field cannot be asked for; it is answered like an unknown one. */
    int submitIds(wire::Type type, char* ids[], int count) {
        Request request{type};
        for (int i = 0; ids != nullptr && i < count; ++i) {
            if (ids[i] == nullptr) continue;
            (std::strlen(ids[i]) < SIM_ID_BYTES ? request.ids : request.tooLongIds).emplace_back(ids[i]);
        }
        return session_->submit(std::move(request));
    }

    std::shared_ptr<Session> session_;
    SpiCaller* caller_;   // the session owns it
    SessionThread thread_;
};

// Not inline, so that the class's own vtable exists: genuine libraries export it.
CThostFtdcMdApi::CThostFtdcMdApi() = default;

#ifdef SIM_VERSION
const char* CThostFtdcMdApi::GetApiVersion() {
    // Kept for the life of the process: a caller may hold the address.
    static const std::string& version = *new std::string([] {
        const char* chosen = std::getenv("QACTPMD_SIM_VERSION");
        return chosen == nullptr ? "sim " SIM_VERSION : chosen;
    }());
    return version.c_str();
}
#endif

#if SIM_FACTORY_FLAGS == 1
CThostFtdcMdApi* CThostFtdcMdApi::CreateFtdcMdApi(const char* flowPath, bool) {
#elif SIM_FACTORY_FLAGS == 2
CThostFtdcMdApi* CThostFtdcMdApi::CreateFtdcMdApi(const char* flowPath, bool, bool) {
#else
CThostFtdcMdApi* CThostFtdcMdApi::CreateFtdcMdApi(const char* flowPath, bool, bool, bool) {
#endif
    return new CFtdcMdApiImpl(flowPath);
}
