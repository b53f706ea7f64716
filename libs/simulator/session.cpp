#include "session.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "fixed_text.h"

namespace sim {
namespace {

/** Faults that were ordered for the creations to come. */
std::atomic<int> creationsToFail{0};

bool mustFail() {
    int left = creationsToFail.load();
    while (left > 0 && !creationsToFail.compare_exchange_weak(left, left - 1)) {
    }
    return left > 0;
}

constexpr char noTradingDay[] = "19800100";
/** Requests and ids that may wait for the API thread before submit answers "too many". */
constexpr size_t maxPending = 200000;

std::string flowFile(const std::string& prefix, const char* name) {
    return prefix + name;
}

/** The vendor names its flow files by plain concatenation and throws when it cannot open them. */
void openFlowFile(const std::string& path) {
    std::FILE* file = std::fopen(path.c_str(), "ab");
    if (file == nullptr) throw std::runtime_error("can not open CFlow file " + path);
    std::fclose(file);
}

/** "CTP:找不到合约" in GB18030. */
constexpr int instrumentNotFound = 16;
constexpr char instrumentNotFoundText[] = "CTP:\xd5\xd2\xb2\xbb\xb5\xbd\xba\xcf\xd4\xbc";

}  // namespace

Session::Session(const std::string& flowPrefix, std::unique_ptr<Receiver> receiver)
    : flowPrefix_(flowPrefix), receiver_(std::move(receiver)) {
    if (mustFail()) throw std::runtime_error("can not open CFlow file, as was ordered by the front");
    for (const char* name : {"DialogRsp.con", "QueryRsp.con", "TradingDay.con"}) {
        openFlowFile(flowFile(flowPrefix_, name));
    }
    // Before a login the library knows the day of the previous one, if there was one.
    setTradingDay(noTradingDay);
    if (std::FILE* file = std::fopen(flowFile(flowPrefix_, "TradingDay.con").c_str(), "rb")) {
        char day[9] = {};
        if (std::fread(day, 1, 8, file) == 8 && std::all_of(day, day + 8, [](char c) { return c >= '0' && c <= '9'; })) {
            setTradingDay(day);
        }
        std::fclose(file);
    }
    wakeDescriptor_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (wakeDescriptor_ < 0) throw std::runtime_error("can not create an event descriptor");
}

Session::~Session() {
    close(wakeDescriptor_);
}

void Session::setTradingDay(std::string_view day) {
    copyText(*reinterpret_cast<char(*)[9]>(tradingDays_.emplace_back().data()), day);
    tradingDay_.store(tradingDays_.back().data());
}

void Session::addFront(const char* address) {
    if (address == nullptr) return;
    const std::lock_guard lock(mutex_);
    fronts_.emplace_back(address);
}

std::vector<std::string> Session::fronts() const {
    const std::lock_guard lock(mutex_);
    return fronts_;
}

void Session::refuseNext(int code, int calls) {
    const std::lock_guard lock(mutex_);
    refusalCode_ = code;
    refusalsLeft_ = calls;
}

void Session::failCreations(int times) {
    creationsToFail.store(times);
}

int Session::submit(Request request) {
    const std::lock_guard lock(mutex_);
    if (refusalsLeft_ > 0) {
        --refusalsLeft_;
        return refusalCode_;
    }
    if (!connected_.load() || stopping_.load()) return requestNotConnected;
    const size_t weight = request.ids.size() + request.tooLongIds.size() + 1;
    if (pendingIds_ + weight > maxPending) return requestTooManyPending;
    pendingIds_ += weight;
    requests_.push_back(std::move(request));
    const uint64_t one = 1;
    // The only error is a full counter, which wakes as well.
    [[maybe_unused]] const ssize_t written = write(wakeDescriptor_, &one, sizeof one);
    return requestSent;
}

std::vector<Request> Session::takeRequests() {
    std::vector<Request> taken;
    {
        const std::lock_guard lock(mutex_);
        pendingIds_ = 0;
        taken.swap(requests_);
    }
    for (const Request& request : taken) refuseTooLong(request);
    const auto answered = [](const Request& request) { return request.ids.empty() && !request.tooLongIds.empty(); };
    taken.erase(std::remove_if(taken.begin(), taken.end(), answered), taken.end());
    return taken;
}

void Session::refuseTooLong(const Request& request) {
    for (const std::string& id : request.tooLongIds) {
        instrumentResponse(wire::responseTo(request.type), id, instrumentNotFound, instrumentNotFoundText, true);
    }
}

void Session::clearWake() {
    uint64_t count = 0;
    [[maybe_unused]] const ssize_t bytes = read(wakeDescriptor_, &count, sizeof count);
}

void Session::stop() {
    stopping_.store(true);
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(wakeDescriptor_, &one, sizeof one);
}

void Session::threadBegins() {
    const std::lock_guard lock(mutex_);
    running_ = true;
}

void Session::threadEnds() {
    const std::lock_guard lock(mutex_);
    running_ = false;
    ended_.notify_all();
}

void Session::join() {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [this] { return !running_; });
}

void Session::connected() {
    {
        // What was asked of the connection before this one is not answered by this one.
        const std::lock_guard lock(mutex_);
        requests_.clear();
        pendingIds_ = 0;
        connected_.store(true);
    }
    receiver_->connected();
}

void Session::disconnected(int reason) {
    {
        const std::lock_guard lock(mutex_);
        connected_.store(false);
    }
    receiver_->disconnected(reason);
}

void Session::released() {
    {
        const std::lock_guard lock(mutex_);
        connected_.store(false);
    }
    receiver_->released();
}

void Session::loginResponse(LoginAnswer login, int errorId, std::string_view text, int requestId) {
    if (errorId == 0) login.lastLoginTime = lastLoginTime_;
    if (errorId == 0 && !login.tradingDay.empty() && login.tradingDay != tradingDay_.load()) {
        setTradingDay(login.tradingDay);
        if (std::FILE* file = std::fopen(flowFile(flowPrefix_, "TradingDay.con").c_str(), "wb")) {
            std::fwrite(tradingDay_.load(), 1, 8, file);
            std::fclose(file);
        }
    }
    receiver_->login(login, {errorId, text, requestId, true});
    if (errorId == 0) lastLoginTime_ = std::string(login.tradingDay) + std::string(login.loginTime);
}

void Session::logoutResponse(std::string_view brokerId, std::string_view userId, int errorId, std::string_view text,
                             int requestId) {
    receiver_->logout(brokerId, userId, {errorId, text, requestId, true});
}

void Session::instrumentResponse(wire::Type type, std::string_view id, int errorId, std::string_view text, bool last) {
    receiver_->instrument(type, id, {errorId, text, 0, last});
}

void Session::errorResponse(int errorId, std::string_view text, int requestId) {
    receiver_->error({errorId, text, requestId, true});
}

}  // namespace sim
