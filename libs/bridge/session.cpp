#include "session.h"

#include <time.h>

#include <cstring>
#include <exception>
#include <new>
#include <thread>
#include <utility>

#include "depth_decoder.h"
#include "releaser.h"

namespace qb {

// Entered by every callback; false once the session is closed.
class Passage {
 public:
  explicit Passage(Gate &gate) noexcept : gate_(gate) {
    gate_.busy.fetch_add(1, std::memory_order_seq_cst);
    open_ = !gate_.isClosed();
  }
  ~Passage() { gate_.busy.fetch_sub(1, std::memory_order_release); }
  Passage(const Passage &) = delete;
  Passage &operator=(const Passage &) = delete;
  explicit operator bool() const noexcept { return open_; }

 private:
  Gate &gate_;
  bool open_;
};

namespace {

std::atomic<Gate *> newestGate{nullptr};

}  // namespace

Gate::Gate(Session &target) noexcept : session(target) {
  next = newestGate.load(std::memory_order_relaxed);
  while (!newestGate.compare_exchange_weak(next, this, std::memory_order_release, std::memory_order_relaxed)) {
  }
}

void Gate::close() noexcept {
  closed.store(true, std::memory_order_seq_cst);
  // A callback takes about a microsecond, and where it waits for a lossless ring's reader it looks at `closed`.
  while (busy.load(std::memory_order_seq_cst) != 0) std::this_thread::yield();
}

// The callbacks that all orders of the vendor's class have.
template <typename Base>
class Session::Callbacks : public Base {
 public:
  explicit Callbacks(Session &session) noexcept : gate(session) {}

  Gate gate;


  void OnFrontConnected() noexcept override {
    if (Passage open{gate}) gate.session.onFrontConnected();
  }
  void OnFrontDisconnected(int reason) noexcept override {
    if (Passage open{gate}) gate.session.onFrontDisconnected(reason);
  }
  void OnHeartBeatWarning(int seconds) noexcept override {
    if (Passage open{gate}) gate.session.onHeartbeatWarning(seconds);
  }
  void OnRspUserLogin(void *login, void *info, int requestId, bool) noexcept override {
    if (Passage open{gate}) gate.session.onLogin(text(login), text(info), requestId);
  }
  void OnRspUserLogout(void *, void *info, int requestId, bool) noexcept override {
    if (Passage open{gate}) gate.session.onLogout(text(info), requestId);
  }
  void OnRspError(void *info, int requestId, bool) noexcept override {
    if (Passage open{gate}) gate.session.onError(text(info), requestId);
  }
  void OnRspSubMarketData(void *instrument, void *info, int, bool) noexcept override {
    if (Passage open{gate}) gate.session.onSubscribed(text(instrument), text(info), true);
  }
  void OnRspUnSubMarketData(void *instrument, void *info, int, bool) noexcept override {
    if (Passage open{gate}) gate.session.onSubscribed(text(instrument), text(info), false);
  }
  void OnRtnDepthMarketData(void *depth) noexcept override {
    if (Passage open{gate}) gate.session.onDepth(text(depth));
  }

 private:
  static const char *text(void *pointer) noexcept { return static_cast<const char *>(pointer); }
};

// Quote requests came after 2013; none is ever subscribed to.
template <typename Base>
class Session::QuoteCallbacks : public Callbacks<Base> {
 public:
  using Callbacks<Base>::Callbacks;
  void OnRspSubForQuoteRsp(void *, void *, int, bool) noexcept override {}
  void OnRspUnSubForQuoteRsp(void *, void *, int, bool) noexcept override {}
  void OnRtnForQuoteRsp(void *) noexcept override {}
};

class Session::Callbacks2013 final : public Callbacks<vendor::Spi2013> {
 public:
  using Callbacks::Callbacks;
};

class Session::CallbacksA final : public QuoteCallbacks<vendor::SpiA> {
 public:
  using QuoteCallbacks::QuoteCallbacks;
};

class Session::CallbacksB final : public QuoteCallbacks<vendor::SpiB> {
 public:
  using QuoteCallbacks::QuoteCallbacks;
  void OnRspQryMulticastInstrument(void *, void *, int, bool) noexcept override {}
};

namespace {

std::int64_t nowNs() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1000000000 + now.tv_nsec;
}

// Fills a zeroed array, always leaving a NUL at its end.
template <std::size_t Size>
void copyText(char (&to)[Size], const char *base, vendor::Text field) noexcept {
  const std::size_t length = textLength(base, field);
  std::memcpy(to, base + field.offset, length < Size ? length : Size - 1);
}

bool putText(char *request, vendor::Text field, const char *value) noexcept {
  const std::size_t length = std::strlen(value);
  if (length >= field.bytes) return false;
  std::memcpy(request + field.offset, value, length);
  return true;
}

// Calls into the vendor's library; what it throws becomes a code.
template <typename Call>
int guarded(Call &&call) noexcept {
  try {
    return call();
  } catch (const std::bad_alloc &) {
    return noMemory;
  } catch (...) {
    return vendorThrew;
  }
}

}  // namespace

Session::Session(Owner *owner, int ownerHandle, const Library *library, int connection)
    : owner_(owner), ownerHandle_(ownerHandle), library_(library), connection_(connection) {}

bool Session::create(const char *flowFolder, void *ring, std::size_t ringBytes, std::string &error) {
  if (!ring_.attach(ring, ringBytes)) {
    error = "the tick ring is not laid out as this bridge expects";
    return false;
  }
  if (!flow_.take(flowFolder, error)) return false;
  const std::string &folder = flow_.path();
  try {
    api_ = library_->createApi(folder.c_str());
  } catch (const std::exception &thrown) {
    error = folder + ": the library refused to start a session: " + thrown.what();
    return false;
  } catch (...) {
    error = folder + ": the library refused to start a session (it cannot write its flow files there?)";
    return false;
  }
  if (!api_) {
    error = "the library made no session";
    return false;
  }
  makeSpi();
  return true;
}

// An object whose vtable is what the library expects.
void Session::makeSpi() {
  switch (library_->abi) {
    case Abi::year2013: return takeSpi<vendor::Spi2013>(new Callbacks2013(*this));
    case Abi::a: return takeSpi<vendor::SpiA>(new CallbacksA(*this));
    case Abi::b: return takeSpi<vendor::SpiB>(new CallbacksB(*this));
  }
}

template <typename Base, typename Class>
void Session::takeSpi(Class *callbacks) noexcept {
  spi_ = static_cast<Base *>(callbacks);
  gate_ = &callbacks->gate;
}

int Session::addDoorbell(void *memory, int eventFd) noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (memory == nullptr || eventFd < 0 || doorbellCount_ == maxDoorbells) return badArgument;
  doorbells_[doorbellCount_++] = Doorbell(memory, eventFd);
  return 0;
}

int Session::registerFront(const char *address) noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!api_) return sessionClosed;
  return guarded([&] {
    fronts_.emplace_back(address);
    api_.registerFront(fronts_.back().data());
    return 0;
  });
}

int Session::init() noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!api_) return sessionClosed;
  return guarded([&] {
    api_.registerSpi(spi_);
    api_.init();
    return 0;
  });
}

int Session::login(const char *broker, const char *user, const char *password, int requestId) noexcept {
  namespace at = vendor::login_request;
  // Zeroed and longer than any version's struct: the library reads its own size, and the tail must be zero.
  alignas(8) char request[at::allocatedBytes] = {};
  if (!putText(request, at::brokerId, broker) || !putText(request, at::userId, user) ||
      !putText(request, at::password, password)) {
    ::explicit_bzero(request, sizeof request);
    return badArgument;
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  const int result =
      !api_ ? sessionClosed : guarded([&] { return api_.login(request, requestId); });
  ::explicit_bzero(request, sizeof request);
  return result;
}

bool Session::splitIds(const char *ids, std::size_t bytes, int count, std::vector<char *> &result) {
  idsCopy_.assign(ids, bytes);  // the vendor takes char *, not const char *
  result.reserve(static_cast<std::size_t>(count));
  std::size_t at = 0;
  for (int i = 0; i < count; i++) {
    const std::size_t end = idsCopy_.find('\0', at);
    if (end == std::string::npos || end == at || end - at > SlotMap::maxIdBytes) return false;
    result.push_back(idsCopy_.data() + at);
    at = end + 1;
  }
  return at == bytes;
}

int Session::subscribe(const char *ids, std::size_t bytes, const std::int32_t *slots, int count) noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!api_) return sessionClosed;
  if (count <= 0) return badArgument;
  return guarded([&] {
    std::vector<char *> list;
    if (!splitIds(ids, bytes, count, list)) return badArgument;
    // First the slots: the first tick may come before the call returns.
    for (int i = 0; i < count; i++) {
      slots_.set(list[static_cast<std::size_t>(i)], std::strlen(list[static_cast<std::size_t>(i)]), slots[i]);
    }
    return api_.subscribe(list.data(), count);
  });
}

int Session::unsubscribe(const char *ids, std::size_t bytes, int count) noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!api_) return sessionClosed;
  if (count <= 0) return badArgument;
  return guarded([&] {
    std::vector<char *> list;
    if (!splitIds(ids, bytes, count, list)) return badArgument;
    const int result = api_.unsubscribe(list.data(), count);
    if (result == 0) {
      for (const char *id : list) slots_.set(id, std::strlen(id), SlotMap::noSlot);
    }
    return result;
  });
}

std::int32_t Session::tradingDay() noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!api_) return sessionClosed;
  return guarded([&] {
    const char *day = api_.tradingDay();
    return day == nullptr ? 0 : decodeDay(day, {0, ::strnlen(day, 9)});
  });
}

int Session::close() noexcept {
  if (closing_.exchange(true, std::memory_order_seq_cst)) return sessionClosed;
  gate_->close();
  return releaseLater(shared_from_this()) ? 0 : noMemory;
}

void Session::release() noexcept {
  VendorApi api;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::swap(api, api_);
  }
  if (api) {
    // The Spi stays registered: it is silent and never freed, while some libraries call a null one without a look.
    guarded([&] {
      api.release();
      return 0;
    });
  }
  flow_.giveBack();
  released_.store(true, std::memory_order_release);
  Event event = eventOf(EventType::released, nullptr);
  owner_->push(event, true);
}

void Session::silence() noexcept { gate_->close(); }

bool Session::isCalling() noexcept {
  const std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
  return !lock.owns_lock();
}

Event Session::eventOf(EventType type, const char *info) const noexcept {
  Event event{};
  event.type = type;
  event.connection = connection_;
  event.session = handle_;
  if (info != nullptr) {
    event.code = valueAt<std::int32_t>(info, vendor::info::errorId);
    copyText(event.text, info, vendor::info::message);
  }
  return event;
}

void Session::push(Event &event, bool critical) noexcept { owner_->push(event, critical); }

void Session::onFrontConnected() noexcept {
  frontUp_.store(true, std::memory_order_release);
  Event event = eventOf(EventType::frontConnected, nullptr);
  push(event, true);
}

void Session::onFrontDisconnected(int reason) noexcept {
  frontUp_.store(false, std::memory_order_release);
  Event event = eventOf(EventType::frontDisconnected, nullptr);
  event.code = reason;
  push(event, true);
}

void Session::onHeartbeatWarning(int seconds) noexcept {
  Event event = eventOf(EventType::heartbeatWarning, nullptr);
  event.code = seconds;
  push(event, false);
}

void Session::onLogin(const char *response, const char *info, int requestId) noexcept {
  namespace at = vendor::login_response;
  Event event = eventOf(EventType::loginResponse, info);
  event.requestId = requestId;
  if (response != nullptr) {
    event.tradingDay = decodeDay(response, at::tradingDay);
    event.frontId = valueAt<std::int32_t>(response, at::frontId);
    event.sessionId = valueAt<std::int32_t>(response, at::sessionId);
    copyText(event.systemName, response, at::systemName);
  }
  push(event, true);
}

void Session::onLogout(const char *info, int requestId) noexcept {
  Event event = eventOf(EventType::logoutResponse, info);
  event.requestId = requestId;
  push(event, true);
}

void Session::onError(const char *info, int requestId) noexcept {
  Event event = eventOf(EventType::error, info);
  event.requestId = requestId;
  push(event, true);
}

void Session::onSubscribed(const char *instrument, const char *info, bool subscribed) noexcept {
  Event event =
      eventOf(subscribed ? EventType::subscribeRefused : EventType::unsubscribeRefused, info);
  if (event.code == 0) {
    if (subscribed) acknowledged_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  if (instrument != nullptr) copyText(event.instrumentId, instrument, library_->layout->answerInstrument);
  owner_->push(event, false, subscribed ? &refusalsLost_ : nullptr);
}

void Session::onDepth(const char *depth) noexcept {
  const std::int64_t receiveTimeNs = nowNs();
  if (depth == nullptr) {
    ring_.countNullPointer();
    return;
  }
  const vendor::Text field = library_->layout->depthInstrument;
  const std::int32_t slot = slots_.find(depth + field.offset, textLength(depth, field));
  if (slot == SlotMap::noSlot) {
    ring_.countUnknownInstrument();
    return;
  }
  TickRecord record;
  record.slot = slot;
  record.receiveTimeNs = receiveTimeNs;
  record.connection = connection_;
  decodeDepth(depth, *library_->layout, record);
  ring_.waitForRoom([this] { return gate_->isClosed(); });
  ring_.write(record);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  for (int i = 0; i < doorbellCount_; i++) doorbells_[i].ring();
}

}  // namespace qb
