// What a session tells the side that knows the vendor's structs, free of any generation. Every call comes from the
// API thread; texts are valid during the call.
#pragma once
#include <string_view>

#include "tick.h"
#include "wire.h"

namespace sim {

/** Outcome of a request; the text is GB18030. */
struct Result {
    int errorId;
    std::string_view text;
    int requestId;
    bool last;
};

struct LoginAnswer {
    std::string_view tradingDay;      // yyyymmdd, or empty
    std::string_view loginTime;       // HH:MM:SS
    std::string_view brokerId;
    std::string_view userId;
    std::string_view systemName;
    int frontId;
    int sessionId;
    std::string_view lastLoginTime;   // yyyymmddHH:MM:SS, empty for a session's first login
};

/** A market maker is asked for a quote. */
struct QuoteRequest {
    std::string_view tradingDay;
    std::string_view actionDay;
    std::string_view time;            // HH:MM:SS
    std::string_view quoteId;
    std::string_view instrumentId;
};

class Receiver {
public:
    virtual ~Receiver() = default;
    virtual void connected() = 0;
    virtual void disconnected(int reason) = 0;
    /** The connection ended by the caller's own Release. */
    virtual void released() = 0;
    virtual void login(const LoginAnswer& login, const Result& result) = 0;
    virtual void logout(std::string_view brokerId, std::string_view userId, const Result& result) = 0;
    /** The answer to one id of a (un)subscription; `type` is the response's. */
    virtual void instrument(wire::Type type, std::string_view id, const Result& result) = 0;
    virtual void error(const Result& result) = 0;
    virtual void tick(const Tick& tick, std::string_view id) = 0;
    virtual void quoteRequest(const QuoteRequest& request) = 0;
};

}  // namespace sim
