// The exported face of the simulated library: factory, version, and the object behind the vendor's vtable.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>

#include "generator_link.h"
#include "session.h"
#include "tcp_link.h"

namespace sim {
namespace {

/** "0" makes Release return without waiting for the API thread; which of the two the vendor does is not known. */
constexpr char releaseJoinsVariable[] = "QACTPMD_SIM_RELEASE_JOINS";

/** Set in an API thread to its session, so that Release inside a callback does not wait for itself. */
thread_local const Session* ownSession = nullptr;

void runSession(const std::shared_ptr<Session>& session) {
    ownSession = session.get();
    const std::vector<std::string> fronts = session->fronts();
    const auto generator = std::find_if(fronts.begin(), fronts.end(), isGeneratorAddress);
    if (generator != fronts.end()) runGenerator(*session, *generator);
    else runTcp(*session);
    // The vendor reports the end of a released connection with reason 0 to a Spi that is still registered.
    if (session->isConnected()) session->disconnected(0);
    session->threadEnds();
}

std::string field(const char* text, size_t width) {
    return std::string(text, strnlen(text, width));
}

class MdApi final : public CThostFtdcMdApi {
public:
    explicit MdApi(const char* flowPath) : session_(std::make_shared<Session>(flowPath == nullptr ? "" : flowPath)) {}

    void Release() override {
        const std::shared_ptr<Session> session = session_;
        delete this;
        session->stop();
        const char* joins = std::getenv(releaseJoinsVariable);
        if (ownSession != session.get() && (joins == nullptr || std::strcmp(joins, "0") != 0)) session->join();
    }

    void Init() override {
        if (begun_) return;
        begun_ = true;
        session_->threadBegins();
        std::thread([session = session_] { runSession(session); }).detach();
    }

    int Join() override {
        const std::shared_ptr<Session> session = session_;
        session->join();
        return 0;
    }

    const char* GetTradingDay() override { return session_->tradingDay(); }
    void RegisterFront(char* address) override { session_->addFront(address); }
    // Access by a broker directory is a service of its own; there is none to ask.
    void RegisterNameServer(char*) override {}
    void RegisterFensUserInfo(CThostFtdcFensUserInfoField*) override {}
    void RegisterSpi(CThostFtdcMdSpi* spi) override { session_->setSpi(spi); }

    int SubscribeMarketData(char* ids[], int count) override { return submitIds(wire::Type::subscribe, ids, count); }
    int UnSubscribeMarketData(char* ids[], int count) override {
        return submitIds(wire::Type::unsubscribe, ids, count);
    }
    int SubscribeForQuoteRsp(char* ids[], int count) override {
        return submitIds(wire::Type::subscribeForQuote, ids, count);
    }
    int UnSubscribeForQuoteRsp(char* ids[], int count) override {
        return submitIds(wire::Type::unsubscribeForQuote, ids, count);
    }

    int ReqUserLogin(CThostFtdcReqUserLoginField* login, int requestId) override {
        Request request{wire::Type::login, requestId, {}, {}, {}, {}};
        if (login != nullptr) {
            request.brokerId = field(login->BrokerID, sizeof login->BrokerID);
            request.userId = field(login->UserID, sizeof login->UserID);
            request.password = field(login->Password, sizeof login->Password);
        }
        return session_->submit(std::move(request));
    }

    int ReqUserLogout(CThostFtdcUserLogoutField* logout, int requestId) override {
        Request request{wire::Type::logout, requestId, {}, {}, {}, {}};
        if (logout != nullptr) {
            request.brokerId = field(logout->BrokerID, sizeof logout->BrokerID);
            request.userId = field(logout->UserID, sizeof logout->UserID);
        }
        return session_->submit(std::move(request));
    }

#if SIM_HAS_MULTICAST_QUERY
    // Plain fronts give no useful answer to it.
    int ReqQryMulticastInstrument(CThostFtdcQryMulticastInstrumentField*, int) override {
        return session_->isConnected() ? requestSent : requestNotConnected;
    }
#endif

private:
    ~MdApi() = default;

    int submitIds(wire::Type type, char* ids[], int count) {
        Request request{type, 0, {}, {}, {}, {}};
        for (int i = 0; ids != nullptr && i < count; ++i) {
            if (ids[i] != nullptr) request.ids.emplace_back(ids[i]);
        }
        return session_->submit(std::move(request));
    }

    std::shared_ptr<Session> session_;
    bool begun_ = false;
};

}  // namespace
}  // namespace sim

const char* CThostFtdcMdApi::GetApiVersion() {
    return SIM_API_VERSION;
}

#if SIM_FACTORY_FLAGS == 3
CThostFtdcMdApi* CThostFtdcMdApi::CreateFtdcMdApi(const char* flowPath, bool, bool, bool) {
    return new sim::MdApi(flowPath);
}
#else
CThostFtdcMdApi* CThostFtdcMdApi::CreateFtdcMdApi(const char* flowPath, bool, bool) {
    return new sim::MdApi(flowPath);
}
#endif
