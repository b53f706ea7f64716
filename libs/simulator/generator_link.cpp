#include "generator_link.h"

#include <poll.h>

#include <algorithm>
#include <cstdlib>

#include "clock.h"
#include "feed.h"
#include "shanghai_time.h"

namespace sim {
namespace {

constexpr std::string_view scheme = "sim://";
constexpr double defaultRate = 1000;
constexpr int64_t longestWaitMs = 1000;
constexpr char successText[] = "CTP:No Error";
/** Ticks between two looks at the session's requests, so that a flood does not hold them up. */
constexpr int ticksPerTurn = 4096;

/** Value of a parameter of the address's query, or nothing. */
std::string parameter(const std::string& address, const std::string& name) {
    size_t at = address.find('?');
    while (at != std::string::npos) {
        const size_t end = address.find('&', at + 1);
        const std::string pair = address.substr(at + 1, end == std::string::npos ? end : end - at - 1);
        if (pair.compare(0, name.size() + 1, name + "=") == 0) return pair.substr(name.size() + 1);
        at = end;
    }
    return {};
}

class Generator {
public:
    /** `sharedRate` is divided among the subscribed instruments; 0 leaves each at the rate of the settings. */
    Generator(Session& session, double sharedRate, const FeedSettings& settings)
        : session_(session), sharedRate_(sharedRate), feed_(settings) {}

    void run() {
        session_.connected();
        while (!session_.stopping()) {
            for (Request& request : session_.takeRequests()) answer(request);
            emitDue();
            wait();
        }
    }

private:
    void answer(const Request& request) {
        switch (request.type) {
            case wire::Type::login: answerLogin(request); break;
            case wire::Type::logout:
                session_.logoutResponse(request.brokerId, request.userId, 0, successText, request.requestId);
                break;
            case wire::Type::subscribe: subscribe(request.ids); break;
            case wire::Type::unsubscribe: unsubscribe(request.ids); break;
            case wire::Type::subscribeForQuote: subscribeForQuote(request.ids); break;
            default: acknowledge(request.ids, wire::Type::unsubscribeForQuoteResponse);
        }
    }

    void answerLogin(const Request& request) {
        const int64_t now = nowMs();
        char day[9], time[9];
        formatDay(feed_.hours().tradingDay(now), day);
        formatTime(now, time);
        const LoginAnswer login{day, time, request.brokerId, request.userId, "simulated exchange", 1, 1, {}};
        session_.loginResponse(login, 0, successText, request.requestId);
    }

    void acknowledge(const std::vector<std::string>& ids, wire::Type type) {
        for (size_t i = 0; i < ids.size(); ++i) {
            session_.instrumentResponse(type, ids[i], 0, successText, i + 1 == ids.size());
        }
    }

    /** Somebody asks for a quote of every known id at once, and never again. */
    void subscribeForQuote(const std::vector<std::string>& ids) {
        acknowledge(ids, wire::Type::subscribeForQuoteResponse);
        const int64_t now = nowMs();
        char trading[9], natural[9], time[9];
        formatDay(feed_.hours().tradingDay(now), trading);
        formatDay(naturalDay(now), natural);
        formatTime(now, time);
        for (const std::string& id : ids) {
            if (specOf(id, feed_.products())) session_.quoteRequest({trading, natural, time, std::to_string(++quoteRequests_), id});
        }
    }

    void subscribe(const std::vector<std::string>& ids) {
        acknowledge(ids, wire::Type::subscribeResponse);
        const int64_t now = nowMs();
        std::vector<int> known;
        for (const std::string& id : ids) {
            const int index = feed_.add(id);
            if (index < 0) continue;
            known.push_back(index);
            if (static_cast<size_t>(index) >= active_.size()) active_.resize(static_cast<size_t>(index) + 1);
            if (!active_[static_cast<size_t>(index)]) ++activeCount_;
            active_[static_cast<size_t>(index)] = true;
            feed_.setActive(index, true, now);
        }
        shareRate(now);
        for (const int index : known) {
            FeedEvent newest{};
            if (feed_.newest(index, now, newest)) deliver(newest);
        }
    }

    void unsubscribe(const std::vector<std::string>& ids) {
        const int64_t now = nowMs();
        for (const std::string& id : ids) {
            const int index = feed_.find(id);
            if (index < 0 || !active_[static_cast<size_t>(index)]) continue;
            active_[static_cast<size_t>(index)] = false;
            --activeCount_;
            feed_.setActive(index, false, now);
        }
        shareRate(now);
        acknowledge(ids, wire::Type::unsubscribeResponse);
    }

    void shareRate(int64_t now) {
        if (activeCount_ > 0 && sharedRate_ > 0) feed_.setRate(sharedRate_ / static_cast<double>(activeCount_), now);
    }

    void deliver(const FeedEvent& event) {
        Tick tick;
        feed_.tickOf(event, tick);
        session_.tick(tick, feed_.model(event.index).spec().id);
    }

    void emitDue() {
        const int64_t now = nowMs();
        FeedEvent event{};
        for (int i = 0; i < ticksPerTurn && !session_.stopping() && feed_.next(now, event); ++i) deliver(event);
    }

    void wait() {
        const int64_t left = feed_.nextDue() - nowMs();
        pollfd wake{session_.wakeDescriptor(), POLLIN, 0};
        poll(&wake, 1, static_cast<int>(std::clamp<int64_t>(left, 0, longestWaitMs)));
        if ((wake.revents & POLLIN) != 0) session_.clearWake();
    }

    Session& session_;
    double sharedRate_;
    Feed feed_;
    std::vector<bool> active_;
    size_t activeCount_ = 0;
    int quoteRequests_ = 0;
};

}  // namespace

bool isGeneratorAddress(std::string_view address) {
    return address.substr(0, scheme.size()) == scheme;
}

void runGenerator(Session& session, const std::string& address) {
    const std::string rate = parameter(address, "rate");
    const std::string each = parameter(address, "each");
    const std::string seed = parameter(address, "seed");
    const std::string arrivals = parameter(address, "arrivals");
    const std::string benchStart = parameter(address, "bench_start");
    FeedSettings settings;
    if (!seed.empty()) settings.seed = std::strtoull(seed.c_str(), nullptr, 10);
    if (!each.empty()) settings.ticksPerSecond = std::strtod(each.c_str(), nullptr);
    if (!benchStart.empty()) settings.benchStartUs = std::strtoll(benchStart.c_str(), nullptr, 10);
    if (arrivals == "poisson") settings.arrivals = Arrivals::poisson;
    if (arrivals == "burst") settings.arrivals = Arrivals::burst;
    const double shared = rate.empty() ? defaultRate : std::strtod(rate.c_str(), nullptr);
    Generator(session, each.empty() ? shared : 0, settings).run();
}

}  // namespace sim
