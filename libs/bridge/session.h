// One session of the vendor's library.
//
// Nothing forbids the library to call its Spi even after Release, and nothing makes it look whether there is one. So that
// object, some 40 bytes with its gate, stays registered and is never freed. The session itself goes once it is released
// and nobody holds it.
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "doorbell.h"
#include "flow_folder.h"
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

class Session;

// Between the library's callbacks and close(): a callback raises busy and then looks at closed; close() sets closed
// and then waits until busy is 0. After that nothing of the session is touched.
struct Gate {
  explicit Gate(Session &target) noexcept;

  void close() noexcept;
  bool isClosed() const noexcept { return closed.load(std::memory_order_seq_cst); }

  Session &session;
  Gate *next = nullptr;  // of all gates ever made, so that none counts as lost
  std::atomic<int> busy{0};
  std::atomic<bool> closed{false};
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  static constexpr int maxDoorbells = 8;

  Session(Owner *owner, int ownerHandle, const Library *library, int connection);

  // Makes the flow folder, another one if a session of this process has it, and the vendor's object. False with the reason in `error`.
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
  // For the end of the process: no callback does anything any more, and the library is asked for nothing.
  void silence() noexcept;
  // A call into the library is under way.
  bool isCalling() noexcept;

  bool released() const noexcept { return released_.load(std::memory_order_acquire); }
  bool frontUp() const noexcept { return frontUp_.load(std::memory_order_acquire); }
  std::uint32_t acknowledged() const noexcept { return acknowledged_.load(std::memory_order_relaxed); }
  std::uint32_t refusalsLost() const noexcept { return refusalsLost_.load(std::memory_order_relaxed); }
  int ownerHandle() const noexcept { return ownerHandle_; }
  int connection() const noexcept { return connection_; }
  int handle() const noexcept { return handle_; }
  void setHandle(int handle) noexcept { handle_ = handle; }

 private:
  friend class Passage;
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
  void makeSpi();
  template <typename Base, typename Class>
  void takeSpi(Class *callbacks) noexcept;
  bool splitIds(const char *ids, std::size_t bytes, int count, std::vector<char *> &result);

  Owner *const owner_;
  const int ownerHandle_;
  const Library *const library_;
  const int connection_;
  int handle_ = -1;

  std::atomic<bool> closing_{false};  // close() was called; silence() alone does not set it
  std::atomic<bool> released_{false};
  std::atomic<bool> frontUp_{false};
  std::atomic<std::uint32_t> acknowledged_{0};
  std::atomic<std::uint32_t> refusalsLost_{0};  // subscriptions, the event ring being full

  FlowFolder flow_;
  TickRingWriter ring_;
  SlotMap slots_;
  Doorbell doorbells_[maxDoorbells];
  int doorbellCount_ = 0;

  void *spi_ = nullptr;    // what the library calls, and
  Gate *gate_ = nullptr;   // its gate; both are made by create() and never freed

  std::mutex mutex_;  // guards what follows; held during calls into the vendor's library
  VendorApi api_;
  std::list<std::string> fronts_;  // a library may keep the pointers to the texts
  std::string idsCopy_;
};

}  // namespace qb
