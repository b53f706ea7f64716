#include "session.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "depth_field.h"

namespace sim {
namespace {

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

void setInfo(CThostFtdcRspInfoField& info, int errorId, std::string_view text) {
    info.ErrorID = errorId;
    copyText(info.ErrorMsg, text);
}

}  // namespace

Session::Session(const std::string& flowPrefix) : flowPrefix_(flowPrefix) {
    for (const char* name : {"DialogRsp.con", "QueryRsp.con", "TradingDay.con"}) {
        openFlowFile(flowFile(flowPrefix_, name));
    }
    // Before a login the library knows the day of the previous one, if there was one.
    copyText(tradingDay_, noTradingDay);
    if (std::FILE* file = std::fopen(flowFile(flowPrefix_, "TradingDay.con").c_str(), "rb")) {
        char day[9] = {};
        if (std::fread(day, 1, 8, file) == 8 && std::all_of(day, day + 8, [](char c) { return c >= '0' && c <= '9'; })) {
            copyText(tradingDay_, day);
        }
        std::fclose(file);
    }
    wakeDescriptor_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (wakeDescriptor_ < 0) throw std::runtime_error("can not create an event descriptor");
}

Session::~Session() {
    close(wakeDescriptor_);
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

int Session::submit(Request request) {
    const std::lock_guard lock(mutex_);
    if (!connected_.load() || stopping_.load()) return requestNotConnected;
    if (pendingIds_ + request.ids.size() + 1 > maxPending) return requestTooManyPending;
    pendingIds_ += request.ids.size() + 1;
    requests_.push_back(std::move(request));
    const uint64_t one = 1;
    // The only error is a full counter, which wakes as well.
    [[maybe_unused]] const ssize_t written = write(wakeDescriptor_, &one, sizeof one);
    return requestSent;
}

std::vector<Request> Session::takeRequests() {
    const std::lock_guard lock(mutex_);
    pendingIds_ = 0;
    return std::move(requests_);
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
    if (CThostFtdcMdSpi* spi = spi_.load()) spi->OnFrontConnected();
}

void Session::disconnected(int reason) {
    {
        const std::lock_guard lock(mutex_);
        connected_.store(false);
    }
    if (CThostFtdcMdSpi* spi = spi_.load()) spi->OnFrontDisconnected(reason);
}

void Session::loginResponse(const CThostFtdcRspUserLoginField& login, int errorId, std::string_view text,
                            int requestId) {
    CThostFtdcRspUserLoginField copy = login;
    // Callers may hold the text's address meanwhile: it is only touched when the day has changed.
    if (errorId == 0 && copy.TradingDay[0] != '\0' && std::strcmp(copy.TradingDay, tradingDay_) != 0) {
        copyText(tradingDay_, copy.TradingDay);
        if (std::FILE* file = std::fopen(flowFile(flowPrefix_, "TradingDay.con").c_str(), "wb")) {
            std::fwrite(copy.TradingDay, 1, 8, file);
            std::fclose(file);
        }
    }
    CThostFtdcRspInfoField info{};
    setInfo(info, errorId, text);
    if (CThostFtdcMdSpi* spi = spi_.load()) spi->OnRspUserLogin(&copy, &info, requestId, true);
}

void Session::logoutResponse(std::string_view brokerId, std::string_view userId, int errorId, std::string_view text,
                             int requestId) {
    CThostFtdcUserLogoutField logout{};
    copyText(logout.BrokerID, brokerId);
    copyText(logout.UserID, userId);
    CThostFtdcRspInfoField info{};
    setInfo(info, errorId, text);
    if (CThostFtdcMdSpi* spi = spi_.load()) spi->OnRspUserLogout(&logout, &info, requestId, true);
}

void Session::instrumentResponse(wire::Type type, std::string_view id, int errorId, std::string_view text, bool last) {
    CThostFtdcSpecificInstrumentField instrument{};
    copyText(instrument.InstrumentID, id);
    CThostFtdcRspInfoField info{};
    setInfo(info, errorId, text);
    CThostFtdcMdSpi* spi = spi_.load();
    if (spi == nullptr) return;
    switch (type) {
        case wire::Type::subscribeResponse: spi->OnRspSubMarketData(&instrument, &info, 0, last); break;
        case wire::Type::unsubscribeResponse: spi->OnRspUnSubMarketData(&instrument, &info, 0, last); break;
        case wire::Type::subscribeForQuoteResponse: spi->OnRspSubForQuoteRsp(&instrument, &info, 0, last); break;
        default: spi->OnRspUnSubForQuoteRsp(&instrument, &info, 0, last);
    }
}

void Session::errorResponse(int errorId, std::string_view text, int requestId) {
    CThostFtdcRspInfoField info{};
    setInfo(info, errorId, text);
    if (CThostFtdcMdSpi* spi = spi_.load()) spi->OnRspError(&info, requestId, true);
}

void Session::tick(const Tick& tick, std::string_view id) {
    CThostFtdcMdSpi* spi = spi_.load();
    if (spi == nullptr) return;
    fillDepth(tick, id, depth_);
    spi->OnRtnDepthMarketData(&depth_);
}

}  // namespace sim
