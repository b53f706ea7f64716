// One session of the vendor's library.
//
// A session object is never freed: nothing forbids the library to call its Spi even after Release. What it
// holds besides (slots, texts) goes once it is released.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "doorbell.h"
#include "library.h"
#include "owner.h"
#include "slot_map.h"
#include "tick_ring.h"

namespace qb {

// Results beside the vendor's own 0, -1 (not connected), -2 (too many pending), -3 (too many per second).
constexpr int sessionClosed = -100;
constexpr int vendorThrew = -101;
constexpr int badArgument = -102;
constexpr int noMemory = -103;

class Session {
 public:
  static constexpr int maxDoorbells = 8;

  Session(Owner *owner, int ownerHandle, const Library *library, int source);

  // Makes the flow folder and the vendor's object. False with the reason in `error`.
  bool create(const char *flowFolder, void *ring, std::size_t ringBytes, std::string &error);

  int addDoorbell(void *memory, int eventFd) noexcept;  // before init()
  int registerFront(const char *address) noexcept;
  int init() noexcept;
  int login(const char *broker, const char *user, const char *password, int requestId) noexcept;
  // `ids`: `count` texts, each ending with a NUL, within `bytes`.
  int subscribe(const char *ids, std::size_t bytes, const std::int32_t *slots, int count) noexcept;
  int unsubscribe(const char *ids, std::size_t bytes, int count) noexcept;
  std::int32_t tradingDay() noexcept;

  // From here on no callback does anything, and the session is released in the background.
  int close() noexcept;
  // The end of close(), on the releasing thread.
  void release() noexcept;
  // For the end of the process: no release, only silence.
  void silence() noexcept;

  bool released() const noexcept { return released_.load(std::memory_order_acquire); }
  bool frontUp() const noexcept { return frontUp_.load(std::memory_order_acquire); }
  std::uint32_t acknowledged() const noexcept { return acknowledged_.load(std::memory_order_relaxed); }
  int ownerHandle() const noexcept { return ownerHandle_; }
  void setHandle(int handle) noexcept { handle_ = handle; }

 private:
  friend class Gate;
  template <typename Base>
  class Callbacks;
  template <typename Base>
  class QuoteCallbacks;
  class Callbacks2013;
  class CallbacksA;
  class CallbacksB;

  // What the callbacks do; on the vendor's thread, inside the gate.
  void onFrontConnected() noexcept;
  void onFrontDisconnected(int reason) noexcept;
  void onHeartbeatWarning(int seconds) noexcept;
  void onLogin(const char *response, const char *info, int requestId) noexcept;
  void onLogout(const char *info, int requestId) noexcept;
  void onError(const char *info, int requestId) noexcept;
  void onSubscribed(const char *instrument, const char *info, bool subscribed) noexcept;
  void onDepth(const char *depth) noexcept;

  void push(Event &event, bool critical) noexcept;
  Event eventOf(EventType type, const char *info) const noexcept;
  void waitUntilIdle() noexcept;
  void *makeSpi();
  bool splitIds(const char *ids, std::size_t bytes, int count, std::vector<char *> &result);

  Owner *const owner_;
  const int ownerHandle_;
  const Library *const library_;
  const int source_;
  int handle_ = -1;

  // The handshake between callbacks and close(): a callback raises busy and then looks at closed; close() sets
  // closed and then waits until busy is 0.
  std::atomic<int> busy_{0};
  std::atomic<bool> closed_{false};
  std::atomic<bool> closing_{false};  // close() was called; silence() alone does not set it
  std::atomic<bool> released_{false};
  std::atomic<bool> frontUp_{false};
  std::atomic<std::uint32_t> acknowledged_{0};

  TickRingWriter ring_;
  SlotMap slots_;
  Doorbell doorbells_[maxDoorbells];
  int doorbellCount_ = 0;

  std::mutex mutex_;  // guards what follows; held during calls into the vendor's library
  VendorApi api_;
  void *spi_ = nullptr;
  std::vector<std::string> fronts_;
  std::string idsCopy_;
};

}  // namespace qb
