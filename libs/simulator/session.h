// One API instance's state, shared between the caller's threads and its API thread.
//
// All callbacks are made by the API thread and are synchronous. Nothing here depends on the vendor's structs: the
// session's Receiver fills those of its generation.
#pragma once
#include <atomic>
#include <array>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "receiver.h"
#include "requests.h"

namespace sim {

class Session {
public:
    /** Throws when the flow files cannot be opened. */
    Session(const std::string& flowPrefix, std::unique_ptr<Receiver> receiver);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // Called from any thread.
    void addFront(const char* address);
    /** Queues a request for the API thread; a return code of the vendor's. */
    int submit(Request request);
    /** yyyymmdd; the text stays valid and unchanged for the life of the session. */
    const char* tradingDay() const { return tradingDay_.load(); }
    /** The next `calls` requests are refused with that return code. */
    void refuseNext(int code, int calls);
    /** The next `times` creations of a session in the process throw. */
    static void failCreations(int times);
    void stop();
    bool stopping() const { return stopping_.load(); }
    /** Blocks until the API thread has ended; returns at once when it was never begun. */
    void join();
    void threadBegins();
    void threadEnds();

    // Called from the API thread.
    std::vector<std::string> fronts() const;
    /** The requests so far, without the ids that are too long, which it answers itself. */
    std::vector<Request> takeRequests();
    /** Readable when there are requests or the session is to stop. */
    int wakeDescriptor() const { return wakeDescriptor_; }
    void clearWake();
    void connected();
    void disconnected(int reason);
    /** The connection ends because its caller released the session. */
    void released();
    bool isConnected() const { return connected_.load(); }
    void loginResponse(LoginAnswer login, int errorId, std::string_view text, int requestId);
    void logoutResponse(std::string_view brokerId, std::string_view userId, int errorId, std::string_view text,
                        int requestId);
    void instrumentResponse(wire::Type type, std::string_view id, int errorId, std::string_view text, bool last);
    void errorResponse(int errorId, std::string_view text, int requestId);
    void tick(const Tick& tick, std::string_view id) { receiver_->tick(tick, id); }
    void quoteRequest(const QuoteRequest& request) { receiver_->quoteRequest(request); }

private:
    void setTradingDay(std::string_view day);
    void refuseTooLong(const Request& request);

    std::string flowPrefix_;
    std::unique_ptr<Receiver> receiver_;
    std::atomic<bool> connected_{false};
    std::atomic<bool> stopping_{false};
    int wakeDescriptor_;
    mutable std::mutex mutex_;
    std::condition_variable ended_;
    bool running_ = false;
    std::vector<std::string> fronts_;
    std::vector<Request> requests_;
    size_t pendingIds_ = 0;
    int refusalCode_ = 0;
    int refusalsLeft_ = 0;
    std::deque<std::array<char, 9>> tradingDays_;   // all so far, since callers may hold any of them
    std::atomic<const char*> tradingDay_{nullptr};
    std::string lastLoginTime_;
};

}  // namespace sim
