#include "tcp_link.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "clock.h"
#include "connector.h"

namespace sim {
namespace {

/** Tests shorten these by environment variables. */
constexpr char reconnectVariable[] = "QACTPMD_SIM_RECONNECT_MS";
constexpr int64_t reconnectIntervalMs = 5000;
constexpr char silenceVariable[] = "QACTPMD_SIM_SILENCE_MS";
constexpr int64_t silenceLimitMs = 120 * 1000;
constexpr size_t readBytes = 64 * 1024;
constexpr size_t maxUnsentBytes = 1024 * 1024;

int64_t variable(const char* name, int64_t fallback) {
    const char* text = std::getenv(name);
    const long long value = text == nullptr ? 0 : std::strtoll(text, nullptr, 10);
    return value > 0 ? value : fallback;
}

/** One connection, from the accepted socket to its end. */
class Connection {
public:
    Connection(Session& session, int descriptor, int64_t silenceMs)
        : session_(session), descriptor_(descriptor), silenceMs_(silenceMs) {}
    ~Connection() { close(descriptor_); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /** Serves the connection; the reason of its end, or 0 when the session is to stop. */
    int run() {
        std::vector<char> chunk(readBytes);
        lastRead_ = lastWrite_ = monotonicMs();
        while (!session_.stopping()) {
            // A peer that does not read leaves its requests with the session, which refuses more at its bound.
            if (out_.size() < maxUnsentBytes) {
                for (const Request& request : session_.takeRequests()) encode(request);
            }
            const int64_t now = monotonicMs();
            if (now - lastRead_ >= silenceMs_) return reasonHeartbeatTimeout;
            if (out_.empty() && now - lastWrite_ >= wire::heartbeatIntervalMs) {
                wire::FrameWriter(out_, wire::Type::heartbeat);
            }
            if (!flush()) return reasonWriteFailed;

            int64_t wait = lastRead_ + silenceMs_ - now;
            if (out_.empty()) wait = std::min(wait, lastWrite_ + wire::heartbeatIntervalMs - now);
            pollfd descriptors[] = {{session_.wakeDescriptor(), POLLIN, 0},
                                    {descriptor_, static_cast<short>(POLLIN | (out_.empty() ? 0 : POLLOUT)), 0}};
            if (poll(descriptors, 2, static_cast<int>(std::max<int64_t>(wait, 0) + 1)) < 0 && errno != EINTR) {
                return reasonReadFailed;
            }
            if (descriptors[0].revents != 0) session_.clearWake();
            if ((descriptors[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
                const ssize_t got = recv(descriptor_, chunk.data(), chunk.size(), 0);
                if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return reasonReadFailed;
                if (got > 0) {
                    lastRead_ = monotonicMs();
                    in_.append(chunk.data(), static_cast<size_t>(got));
                    if (!consume()) return session_.stopping() ? 0 : reason_;
                }
            }
        }
        return 0;
    }

private:
    static bool fits(const std::string& id) { return id.size() <= 255; }

    void encode(const Request& request) {
        wire::FrameWriter frame(out_, request.type);
        if (request.type == wire::Type::login || request.type == wire::Type::logout) {
            frame.i32(request.requestId);
            frame.text(request.brokerId, 11);
            frame.text(request.userId, 16);
            if (request.type == wire::Type::login) frame.text(request.password, 41);
            return;
        }
        frame.i32(static_cast<int32_t>(std::count_if(request.ids.begin(), request.ids.end(), fits)));
        for (const std::string& id : request.ids) {
            if (!fits(id)) continue;
            frame.u8(static_cast<uint8_t>(id.size()));
            frame.bytes(id.data(), id.size());
        }
    }

    /** Writes what the socket takes; false when it is broken. */
    bool flush() {
        size_t sent = 0;
        while (sent < out_.size()) {
            const ssize_t n = send(descriptor_, out_.data() + sent, out_.size() - sent, MSG_NOSIGNAL);
            if (n < 0 && errno == EINTR) continue;
            if (n < 0 && errno == EAGAIN) break;
            if (n < 0) return false;
            sent += static_cast<size_t>(n);
            lastWrite_ = monotonicMs();
        }
        out_.erase(0, sent);
        return true;
    }

    /** Handles the complete frames of the input; false when the connection is over, for `reason_`, or to stop. */
    bool consume() {
        size_t at = 0;
        bool good = true;
        while (good && !session_.stopping()) {
            const char* frame = in_.data() + at;
            const size_t left = in_.size() - at;
            // Every byte is checked as soon as it is here: a peer that speaks otherwise is noticed at once.
            good = (left < 1 || frame[0] == wire::magic0) && (left < 2 || frame[1] == wire::magic1) &&
                   (left < 3 || static_cast<uint8_t>(frame[2]) == wire::version);
            if (!good || left < wire::headerBytes) break;
            uint32_t length = 0;
            std::memcpy(&length, frame + 4, sizeof length);
            good = length <= wire::maxBodyBytes;
            if (!good || left < wire::headerBytes + length) break;
            good = handle(static_cast<wire::Type>(frame[3]), frame + wire::headerBytes, length);
            at += wire::headerBytes + length;
        }
        in_.erase(0, at);
        return good && !session_.stopping();
    }

    bool handle(wire::Type type, const char* body, size_t length) {
        wire::BodyReader reader(body, length);
        switch (type) {
            case wire::Type::tick: return handleTick(reader);
            case wire::Type::frontHeartbeat: return reader.done();
            case wire::Type::loginResponse: return handleLogin(reader);
            case wire::Type::logoutResponse: return handleLogout(reader);
            case wire::Type::subscribeResponse:
            case wire::Type::unsubscribeResponse:
            case wire::Type::subscribeForQuoteResponse:
            case wire::Type::unsubscribeForQuoteResponse: return handleInstrument(type, reader);
            case wire::Type::error: return handleError(reader);
            case wire::Type::order: return handleOrder(reader);
            default: return false;
        }
    }

    bool handleTick(wire::BodyReader& reader) {
        Tick tick;
        const std::string_view fixed = reader.bytes(sizeof tick);
        if (!reader.ok()) return false;
        std::memcpy(&tick, fixed.data(), sizeof tick);
        const std::string_view id = reader.bytes(tick.idLength);
        if (!reader.done() || tick.idLength > maxIdLength) return false;
        // The peer may be anyone: its texts need not end.
        tick.tradingDay[8] = tick.actionDay[8] = tick.updateTime[8] = tick.exchangeId[8] = '\0';
        session_.tick(tick, id);
        return true;
    }

    bool handleLogin(wire::BodyReader& reader) {
        LoginAnswer login{};
        const int requestId = reader.i32();
        const int errorId = reader.i32();
        const std::string_view text = reader.text(81);
        login.tradingDay = reader.text(9);
        login.loginTime = reader.text(9);
        login.brokerId = reader.text(11);
        login.userId = reader.text(16);
        login.systemName = reader.text(41);
        login.frontId = reader.i32();
        login.sessionId = reader.i32();
        if (!reader.done()) return false;
        session_.loginResponse(login, errorId, text, requestId);
        return true;
    }

    bool handleLogout(wire::BodyReader& reader) {
        const int requestId = reader.i32();
        const int errorId = reader.i32();
        const std::string_view text = reader.text(81);
        const std::string_view brokerId = reader.text(11);
        const std::string_view userId = reader.text(16);
        if (!reader.done()) return false;
        session_.logoutResponse(brokerId, userId, errorId, text, requestId);
        return true;
    }

    bool handleInstrument(wire::Type type, wire::BodyReader& reader) {
        const int errorId = reader.i32();
        const std::string_view text = reader.text(81);
        const bool last = reader.u8() != 0;
        const std::string_view id = reader.bytes(reader.u8());
        if (!reader.done()) return false;
        session_.instrumentResponse(type, id, errorId, text, last);
        return true;
    }

    bool handleError(wire::BodyReader& reader) {
        const int requestId = reader.i32();
        const int errorId = reader.i32();
        const std::string_view text = reader.text(81);
        if (!reader.done()) return false;
        session_.errorResponse(errorId, text, requestId);
        return true;
    }

    bool handleOrder(wire::BodyReader& reader) {
        const auto what = static_cast<wire::Order>(reader.u8());
        const int first = reader.i32();
        const int second = reader.i32();
        if (!reader.done()) return false;
        switch (what) {
            case wire::Order::disconnect:
                if (first > 0) reason_ = first;
                return false;
            case wire::Order::returnCode: session_.refuseNext(first, second); return true;
            case wire::Order::throwAtCreate: Session::failCreations(first); return true;
        }
        return false;
    }

    Session& session_;
    int descriptor_;
    int reason_ = reasonBadPacket;   // of the end that consume() reports
    int64_t silenceMs_;
    int64_t lastRead_ = 0;
    int64_t lastWrite_ = 0;
    std::string in_;
    std::string out_;
};

/** Waits until `deadline` (monotonic) or until the session is to stop. */
void waitUntil(Session& session, int64_t deadline) {
    while (!session.stopping()) {
        const int64_t left = deadline - monotonicMs();
        if (left <= 0) return;
        pollfd wake{session.wakeDescriptor(), POLLIN, 0};
        poll(&wake, 1, static_cast<int>(left));
        if (wake.revents != 0) session.clearWake();
    }
}

}  // namespace

void runTcp(Session& session) {
    const int64_t interval = variable(reconnectVariable, reconnectIntervalMs);
    const int64_t silence = variable(silenceVariable, silenceLimitMs);
    while (!session.stopping()) {
        const int64_t began = monotonicMs();
        session.clearWake();
        if (session.stopping()) break;
        const int descriptor = connectToFirst(session.fronts(), session.wakeDescriptor(), static_cast<int>(interval));
        if (descriptor < 0) {
            waitUntil(session, began + interval);
            continue;
        }
        // Its end is followed by the next attempt at once, as often as there is one: genuine libraries know no pause.
        int reason = 0;
        {
            Connection connection(session, descriptor, silence);
            session.connected();
            reason = connection.run();
        }
        if (reason != 0) session.disconnected(reason);
    }
}

}  // namespace sim
