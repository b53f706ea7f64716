// One API instance's state, shared between the caller's threads and its API thread.
//
// All callbacks are made by the API thread and are synchronous. RegisterSpi only stores a pointer, so a callback
// that has already begun may still run when RegisterSpi(NULL) returns: the Spi must outlive Release.
#pragma once
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "requests.h"
#include "tick.h"
#include "vendor_api.h"

namespace sim {

class Session {
public:
    explicit Session(const std::string& flowPrefix);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // Called from any thread.
    void setSpi(CThostFtdcMdSpi* spi) { spi_.store(spi); }
    void addFront(const char* address);
    /** Queues a request for the API thread; a return code of the vendor's. */
    int submit(Request request);
    const char* tradingDay() const { return tradingDay_; }
    void stop();
    bool stopping() const { return stopping_.load(); }
    /** Blocks until the API thread has ended; returns at once when it was never begun. */
    void join();
    void threadBegins();
    void threadEnds();

    // Called from the API thread.
    std::vector<std::string> fronts() const;
    std::vector<Request> takeRequests();
    /** Readable when there are requests or the session is to stop. */
    int wakeDescriptor() const { return wakeDescriptor_; }
    void clearWake();
    void connected();
    void disconnected(int reason);
    bool isConnected() const { return connected_.load(); }
    void loginResponse(const CThostFtdcRspUserLoginField& login, int errorId, std::string_view text, int requestId);
    void logoutResponse(std::string_view brokerId, std::string_view userId, int errorId, std::string_view text,
                        int requestId);
    void instrumentResponse(wire::Type type, std::string_view id, int errorId, std::string_view text, bool last);
    void errorResponse(int errorId, std::string_view text, int requestId);
    void tick(const Tick& tick, std::string_view id);

private:
    std::string flowPrefix_;
    std::atomic<CThostFtdcMdSpi*> spi_{nullptr};
    std::atomic<bool> connected_{false};
    std::atomic<bool> stopping_{false};
    int wakeDescriptor_;
    mutable std::mutex mutex_;
    std::condition_variable ended_;
    bool running_ = false;
    std::vector<std::string> fronts_;
    std::vector<Request> requests_;
    size_t pendingIds_ = 0;
    char tradingDay_[9];
    CThostFtdcDepthMarketDataField depth_{};
};

}  // namespace sim
