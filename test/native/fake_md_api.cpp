// A library with the vendor's interface that does nothing by itself: the test makes it call back, and reads what
// it was asked. It states the interface on its own, as C++ classes and by the vendor's names.
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#define FAKE_API extern "C" __attribute__((visibility("default")))
#define VENDOR_API __attribute__((visibility("default")))

struct RspInfo {
  int ErrorID;
  char ErrorMsg[81];
};
struct RspUserLogin {
  char TradingDay[9], LoginTime[9], BrokerID[11], UserID[16], SystemName[41];
  int FrontID, SessionID;
  char rest[200];
};
struct SpecificInstrument {
#ifdef FAKE_SHORT_ID
  char InstrumentID[31];
#else
  char reserve1[31];
  char InstrumentID[81];
#endif
};

class CThostFtdcMdSpi {
 public:
  virtual void OnFrontConnected() {}
  virtual void OnFrontDisconnected(int) {}
  virtual void OnHeartBeatWarning(int) {}
  virtual void OnRspUserLogin(RspUserLogin *, RspInfo *, int, bool) {}
  virtual void OnRspUserLogout(void *, RspInfo *, int, bool) {}
#if !defined(FAKE_A) && !defined(FAKE_2013)
  virtual void OnRspQryMulticastInstrument(void *, RspInfo *, int, bool) {}
#endif
  virtual void OnRspError(RspInfo *, int, bool) {}
  virtual void OnRspSubMarketData(SpecificInstrument *, RspInfo *, int, bool) {}
  virtual void OnRspUnSubMarketData(SpecificInstrument *, RspInfo *, int, bool) {}
#ifndef FAKE_2013
  virtual void OnRspSubForQuoteRsp(SpecificInstrument *, RspInfo *, int, bool) {}
  virtual void OnRspUnSubForQuoteRsp(SpecificInstrument *, RspInfo *, int, bool) {}
#endif
  virtual void OnRtnDepthMarketData(void *) {}
#ifndef FAKE_2013
  virtual void OnRtnForQuoteRsp(void *) {}
#endif
};

class VENDOR_API CThostFtdcMdApi {
 public:
#if defined(FAKE_BBB)
  static CThostFtdcMdApi *CreateFtdcMdApi(const char *path, bool udp, bool multicast, bool production);
#elif defined(FAKE_BB)
  static CThostFtdcMdApi *CreateFtdcMdApi(const char *path, bool udp, bool multicast);
#else
  static CThostFtdcMdApi *CreateFtdcMdApi(const char *path, bool udp);
#endif
#ifdef FAKE_VERSION
  static const char *GetApiVersion();
#endif
  virtual void Release() = 0;
  virtual void Init() = 0;
  virtual int Join() = 0;
  virtual const char *GetTradingDay() = 0;
  virtual void RegisterFront(char *) = 0;
  virtual void RegisterNameServer(char *) = 0;
#ifndef FAKE_2013
  virtual void RegisterFensUserInfo(void *) = 0;
#endif
  virtual void RegisterSpi(CThostFtdcMdSpi *) = 0;
  virtual int SubscribeMarketData(char **, int) = 0;
  virtual int UnSubscribeMarketData(char **, int) = 0;
#ifndef FAKE_2013
  virtual int SubscribeForQuoteRsp(char **, int) = 0;
  virtual int UnSubscribeForQuoteRsp(char **, int) = 0;
#endif
  virtual int ReqUserLogin(char *, int) = 0;
  virtual int ReqUserLogout(void *, int) = 0;
#if !defined(FAKE_A) && !defined(FAKE_2013)
  virtual int ReqQryMulticastInstrument(void *, int) = 0;
#endif
};

namespace {

std::mutex mutex;
std::string calls;
CThostFtdcMdSpi *lastSpi = nullptr;  // kept after RegisterSpi(0): for callbacks that come too late
std::atomic<int> nextReturn{0};
std::atomic<bool> holdRelease{false}, holdNextRelease{false}, releaseHeld{false};
std::atomic<bool> holdSubscribe{false};
std::atomic<int> sessions{0}, releasing{0}, mostReleasing{0};

void note(const std::string &text) {
  const std::lock_guard<std::mutex> lock(mutex);
  calls += text + '\n';
}

std::string join(char **ids, int count) {
  std::string text;
  for (int i = 0; i < count; i++) text += std::string(i == 0 ? "" : ",") + ids[i];
  return text;
}

#ifdef FAKE_AT_EXIT
// What destructors of a library's static objects may do.
struct AtExit {
  ~AtExit() { FAKE_AT_EXIT; }
} atExit;
#endif

class Fake final : public CThostFtdcMdApi {
 public:
  void Release() override {
#ifdef FAKE_AT_RELEASE
    FAKE_AT_RELEASE;
#endif
#ifdef FAKE_CARELESS
    spi_->OnFrontDisconnected(0);  // whatever is registered
#endif
    const int now = ++releasing;
    if (now > mostReleasing) mostReleasing = now;
    note("release");
    const bool held = holdNextRelease.exchange(false);
    if (held) releaseHeld = true;
    while (holdRelease || (held && releaseHeld)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    --releasing;
    delete this;
    --sessions;
  }
  void Init() override {
    note("init");
    for (const auto &[kept, copy] : fronts_) {
      if (std::strcmp(kept, copy.c_str()) != 0) note("a front's address is gone: " + copy);
    }
#ifdef FAKE_HANGS_AT_INIT
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
#endif
  }
  int Join() override { return 0; }
  const char *GetTradingDay() override { return "20260227"; }
  void RegisterFront(char *address) override {
    note(std::string("front ") + address);
    fronts_.emplace_back(address, address);
  }
  void RegisterNameServer(char *) override {}
#ifndef FAKE_2013
  void RegisterFensUserInfo(void *) override {}
#endif
  void RegisterSpi(CThostFtdcMdSpi *spi) override {
    note(spi == nullptr ? "spi none" : "spi");
    spi_ = spi;
    if (spi != nullptr) lastSpi = spi;
  }
  int SubscribeMarketData(char **ids, int count) override {
    note("subscribe " + join(ids, count));
    while (holdSubscribe) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return nextReturn.exchange(0);
  }
  int UnSubscribeMarketData(char **ids, int count) override {
    note("unsubscribe " + join(ids, count));
    return nextReturn.exchange(0);
  }
#ifndef FAKE_2013
  int SubscribeForQuoteRsp(char **, int) override { return 0; }
  int UnSubscribeForQuoteRsp(char **, int) override { return 0; }
#endif
  int ReqUserLogin(char *request, int requestId) override {
    std::string text = "login " + std::to_string(requestId) + " " + (request + 9) + " " + (request + 20) + " " +
                       (request + 36);
    // All of the longest version's struct beyond the password must be zero.
    for (int i = 77; i < 280; i++) {
      if (request[i] != 0) text += " dirty";
    }
    note(text);
    return nextReturn.exchange(0);
  }
  int ReqUserLogout(void *, int) override { return 0; }
#if !defined(FAKE_A) && !defined(FAKE_2013)
  int ReqQryMulticastInstrument(void *, int) override { return 0; }
#endif

 private:
  CThostFtdcMdSpi *spi_ = nullptr;
  std::vector<std::pair<const char *, std::string>> fronts_;  // as it was given, and what it said then
};

CThostFtdcMdApi *create(const char *path, const std::string &flags) {
#ifdef FAKE_THROWING
  if (std::strstr(path, "standard") != nullptr) throw std::runtime_error("can not open CFlow file");
  if (std::strstr(path, "number") != nullptr) throw 42;
  if (std::strstr(path, "null") != nullptr) return nullptr;
#endif
  struct stat status {};
  if (::stat(path, &status) != 0) throw std::runtime_error("can not open CFlow file");
  note(std::string("create ") + path + flags);
  ++sessions;
  return new Fake;
}

RspInfo infoOf(int code, const char *text) {
  RspInfo info{};
  info.ErrorID = code;
  std::strncpy(info.ErrorMsg, text, sizeof info.ErrorMsg - 1);
  return info;
}

}  // namespace

#if defined(FAKE_BBB)
CThostFtdcMdApi *CThostFtdcMdApi::CreateFtdcMdApi(const char *path, bool udp, bool multicast, bool production) {
  return create(path, std::string(" ") + (udp ? "1" : "0") + (multicast ? "1" : "0") + (production ? "1" : "0"));
}
#elif defined(FAKE_BB)
CThostFtdcMdApi *CThostFtdcMdApi::CreateFtdcMdApi(const char *path, bool udp, bool multicast) {
  return create(path, std::string(" ") + (udp ? "1" : "0") + (multicast ? "1" : "0"));
}
#else
CThostFtdcMdApi *CThostFtdcMdApi::CreateFtdcMdApi(const char *path, bool) { return create(path, ""); }
#endif
#ifdef FAKE_VERSION
const char *CThostFtdcMdApi::GetApiVersion() { return FAKE_VERSION; }
#endif

// ---- the test's side; all callbacks go to the Spi that was registered last

FAKE_API void fake_connected() { lastSpi->OnFrontConnected(); }
FAKE_API void fake_disconnected(int reason) { lastSpi->OnFrontDisconnected(reason); }
FAKE_API void fake_heartbeat(int seconds) { lastSpi->OnHeartBeatWarning(seconds); }
FAKE_API void fake_login(int code, const char *text, const char *day, int requestId, int nulls) {
  RspInfo info = infoOf(code, text);
  RspUserLogin login{};
  std::strncpy(login.TradingDay, day, sizeof login.TradingDay - 1);
  std::strncpy(login.SystemName, "TradingHosting", sizeof login.SystemName - 1);
  login.FrontID = 7;
  login.SessionID = -5;
  lastSpi->OnRspUserLogin(nulls != 0 ? nullptr : &login, nulls != 0 ? nullptr : &info, requestId, true);
}
FAKE_API void fake_logout(int code, const char *text) {
  RspInfo info = infoOf(code, text);
  lastSpi->OnRspUserLogout(nullptr, &info, 1, true);
}
FAKE_API void fake_error(int code, const char *text, int requestId) {
  RspInfo info = infoOf(code, text);
  lastSpi->OnRspError(&info, requestId, true);
}
FAKE_API void fake_answer(int subscribed, const char *id, int code, const char *text, int nulls) {
  RspInfo info = infoOf(code, text);
  SpecificInstrument instrument{};
  std::strncpy(instrument.InstrumentID, id, sizeof instrument.InstrumentID - 1);
  SpecificInstrument *first = nulls != 0 ? nullptr : &instrument;
  if (subscribed != 0) {
    lastSpi->OnRspSubMarketData(first, &info, 0, true);
  } else {
    lastSpi->OnRspUnSubMarketData(first, &info, 0, true);
  }
}
FAKE_API void fake_others() {
#ifndef FAKE_2013
  lastSpi->OnRspSubForQuoteRsp(nullptr, nullptr, 0, false);
  lastSpi->OnRspUnSubForQuoteRsp(nullptr, nullptr, 0, false);
  lastSpi->OnRtnForQuoteRsp(nullptr);
#endif
#if !defined(FAKE_A) && !defined(FAKE_2013)
  lastSpi->OnRspQryMulticastInstrument(nullptr, nullptr, 0, false);
#endif
}
FAKE_API void fake_tick(void *depth) { lastSpi->OnRtnDepthMarketData(depth); }

// Ticks from a thread until told to stop.
namespace {
std::atomic<bool> streaming{false}, streamEnded{true};
std::atomic<unsigned> streamed{0};
}  // namespace
FAKE_API void fake_stream(const void *depth, int bytes) {
  std::vector<char> copy(static_cast<const char *>(depth), static_cast<const char *>(depth) + bytes);
  streaming = true;
  streamEnded = false;
  streamed = 0;
  std::thread([copy = copy]() mutable {
    while (streaming) {
      lastSpi->OnRtnDepthMarketData(copy.data());
      streamed++;
    }
    streamEnded = true;
  }).detach();
}
// `count` ticks from another thread, as fast as they go but for a short pause now and then, in which the readers may
// fall asleep; the numbers of tick n are n: its volume, its last price, its highest bid and its average price.
FAKE_API void fake_stream_numbered(const void *depth, int bytes, unsigned first, unsigned count) {
  std::vector<char> copy(static_cast<const char *>(depth), static_cast<const char *>(depth) + bytes);
  streaming = true;
  streamEnded = false;
  streamed = 0;
  std::thread([copy = copy, first, count]() mutable {
    for (unsigned i = 0; i < count && streaming; i++) {
      const unsigned number = first + i;
      const double asDouble = number;
      std::memcpy(copy.data() + 136, &number, sizeof number);
      for (const int offset : {80, 224, 384}) std::memcpy(copy.data() + offset, &asDouble, sizeof asDouble);
      lastSpi->OnRtnDepthMarketData(copy.data());
      streamed.store(i + 1, std::memory_order_relaxed);
      if (i % 65536 == 65535) std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    streamEnded = true;
  }).detach();
}
FAKE_API int fake_stream_ended() { return streamEnded ? 1 : 0; }
FAKE_API unsigned fake_streamed() { return streamed; }
FAKE_API void fake_end_stream() {
  streaming = false;
  while (!streamEnded) std::this_thread::yield();
}

FAKE_API void fake_return(int code) { nextReturn = code; }
FAKE_API void fake_hold_release(int hold) {
  holdRelease = hold != 0;
  if (hold == 0) holdNextRelease = releaseHeld = false;
}
FAKE_API void fake_hold_next_release() { holdNextRelease = true; }
FAKE_API void fake_hold_subscribe(int hold) { holdSubscribe = hold != 0; }
// Sessions that were created and are not released yet.
FAKE_API int fake_sessions() { return sessions; }
FAKE_API int fake_most_releasing() { return mostReleasing; }
// Gives the calls since the last time.
FAKE_API void fake_calls(char *buffer, int bytes) {
  const std::lock_guard<std::mutex> lock(mutex);
  std::strncpy(buffer, calls.c_str(), static_cast<std::size_t>(bytes) - 1);
  buffer[bytes - 1] = '\0';
  calls.clear();
}
