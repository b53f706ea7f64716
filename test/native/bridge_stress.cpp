// The bridge under stress in a program of its own, for sanitizers: Node itself is not built with them. Vendor threads
// stream ticks while sessions subscribe, close from several sides and are released; rings are read while they are
// overwritten. Ends with 1 and a line at the first thing that is wrong.
//
//   bridge_stress FOLDER ROUNDS FAKE_LIBRARY...
#include <dlfcn.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "doorbell.h"
#include "event_ring.h"
#include "slot_map.h"
#include "tick_ring.h"

extern "C" {
int qb_eventfd_open();
void qb_eventfd_drain(int fd);
void qb_eventfd_close(int fd);
int qb_owner_open(void *ring, int ringBytes, void *doorbell, int eventFd);
int qb_owner_close(int owner);
int qb_owner_unreleased(int owner);
int qb_library_open(const char *path, const char *version, int production, char *error, int errorBytes);
int qb_session_create(int owner, int library, int source, const char *flowFolder, void *ring, int ringBytes,
                      char *error, int errorBytes);
int qb_session_add_doorbell(int session, void *memory, int eventFd);
int qb_session_register_front(int session, const char *address);
int qb_session_init(int session);
int qb_session_login(int session, const char *broker, const char *user, const char *password, int requestId);
int qb_session_subscribe(int session, const char *ids, int bytes, const std::int32_t *slots, int count);
int qb_session_unsubscribe(int session, const char *ids, int bytes, int count);
int qb_session_trading_day(int session);
int qb_session_front_up(int session);
int qb_session_acknowledged(int session);
int qb_session_close(int session);
void qb_silence_all();
}

namespace {

void require(bool condition, const std::string &what) {
  if (condition) return;
  std::fprintf(stderr, "bridge_stress: %s\n", what.c_str());
  std::_Exit(1);
}

// ---- memory as JS lays it out

struct Free {
  void operator()(void *memory) const { std::free(memory); }
};
using Memory = std::unique_ptr<char, Free>;

Memory zeroed(std::size_t bytes) {
  auto *memory = static_cast<char *>(std::aligned_alloc(64, (bytes + 63) / 64 * 64));
  std::memset(memory, 0, bytes);
  return Memory(memory);
}

struct TickRing {
  explicit TickRing(std::int32_t capacity, std::uint32_t first = 0)
      : bytes(sizeof(qb::TickRingHeader) + static_cast<std::size_t>(capacity) * sizeof(qb::TickRecord)),
        memory(zeroed(bytes)) {
    auto *header = reinterpret_cast<qb::TickRingHeader *>(memory.get());
    header->magic = qb::TickRingHeader::expectedMagic;
    header->capacity = capacity;
    header->recordBytes = sizeof(qb::TickRecord);
    header->headerBytes = sizeof(qb::TickRingHeader);
    header->claimed = header->head = first;
  }
  std::size_t bytes;
  Memory memory;
};

// Follows a ring as src/ring/tickRing.ts does.
class TickReader {
 public:
  explicit TickReader(const TickRing &ring)
      : header_(reinterpret_cast<qb::TickRingHeader *>(ring.memory.get())),
        records_(reinterpret_cast<std::uint64_t *>(ring.memory.get() + sizeof(qb::TickRingHeader))),
        capacity_(static_cast<std::uint32_t>(header_->capacity)),
        cursor_(header_->head.load(std::memory_order_acquire)) {}

  bool next() {
    for (;;) {
      const std::uint32_t behind = header_->head.load(std::memory_order_acquire) - cursor_;
      if (behind == 0) return false;
      if (behind <= capacity_) {
        const std::uint64_t *from = records_ + std::size_t{cursor_ & (capacity_ - 1)} * words_.size();
        for (std::size_t i = 0; i < words_.size(); i++) words_[i] = __atomic_load_n(from + i, __ATOMIC_RELAXED);
        std::atomic_thread_fence(std::memory_order_acquire);
        if (header_->claimed.load(std::memory_order_relaxed) - cursor_ <= capacity_) {
          cursor_++;
          return true;
        }
      }
      const std::uint32_t next = header_->claimed.load(std::memory_order_acquire) - capacity_ + capacity_ / 8;
      missed_ += next - cursor_;
      cursor_ = next;
    }
  }
  bool pending() const { return header_->head.load(std::memory_order_seq_cst) != cursor_; }
  qb::TickRecord record() const {
    qb::TickRecord copy;
    std::memcpy(&copy, words_.data(), sizeof copy);
    return copy;
  }
  std::uint32_t cursor() const { return cursor_; }
  std::uint32_t missed() const { return missed_; }

 private:
  qb::TickRingHeader *header_;
  const std::uint64_t *records_;
  std::uint32_t capacity_;
  std::uint32_t cursor_;
  std::uint32_t missed_ = 0;
  std::array<std::uint64_t, sizeof(qb::TickRecord) / 8> words_{};
};

// A doorbell and the sleep at it.
class Sleeper {
 public:
  Sleeper() : fd(qb_eventfd_open()) {}
  ~Sleeper() {
    memory.parked.store(0, std::memory_order_seq_cst);
    while (memory.ringing.load(std::memory_order_seq_cst) != 0) std::this_thread::yield();
    qb_eventfd_close(fd);
  }
  Sleeper(const Sleeper &) = delete;
  Sleeper &operator=(const Sleeper &) = delete;

  template <typename IsEmpty>
  void sleep(IsEmpty &&isEmpty) {
    memory.parked.store(1, std::memory_order_seq_cst);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (isEmpty()) {
      pollfd waiting{fd, POLLIN, 0};
      require(::poll(&waiting, 1, 20000) == 1, "a sleeping reader was not woken");
      qb_eventfd_drain(fd);
    }
    memory.parked.store(0, std::memory_order_seq_cst);
  }

  qb::DoorbellMemory memory{};
  const int fd;
};

// ---- one ring, hammered

void hammerRing(std::uint32_t first, std::uint32_t count) {
  TickRing ring(64, first);
  std::array<Sleeper, 2> sleepers;
  std::vector<std::thread> readers;
  for (Sleeper &sleeper : sleepers) {
    readers.emplace_back([&ring, &sleeper, first, count, reader = TickReader(ring)]() mutable {
      std::uint32_t read = 0;
      while (read + reader.missed() < count) {
        while (reader.next()) {
          const qb::TickRecord record = reader.record();
          const std::uint32_t number = first + read++ + reader.missed();
          require(record.sequence == number && record.slot == static_cast<std::int32_t>(number) &&
                      record.lastPrice == number && record.bidPrice[4] == number && record.updateTime == 7,
                  "a record is torn or out of order");
        }
        if (read + reader.missed() < count) sleeper.sleep([&] { return !reader.pending(); });
      }
    });
  }
  qb::TickRingWriter writer;
  require(writer.attach(ring.memory.get(), ring.bytes), "the ring is refused");
  qb::TickRecord record{};
  record.updateTime = 7;
  for (std::uint32_t i = 0; i < count; i++) {
    record.slot = static_cast<std::int32_t>(first + i);
    record.lastPrice = record.bidPrice[4] = first + i;
    writer.write(record);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    for (Sleeper &sleeper : sleepers) qb::Doorbell(&sleeper.memory, sleeper.fd).ring();
    if (i % 512 == 0) std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  for (std::thread &reader : readers) reader.join();
}

// ---- sessions of a fake library

// A name of the copy that the bridge has loaded in place of the file.
std::string loadedCopy(const std::string &path) {
  const std::string wanted = "/memfd:" + path.substr(path.rfind('/') + 1) + " (deleted)";
  for (int fd = 0; fd < 1024; fd++) {
    const std::string name = "/proc/self/fd/" + std::to_string(fd);
    char target[512];
    const ssize_t bytes = ::readlink(name.c_str(), target, sizeof target);
    if (bytes > 0 && std::string(target, static_cast<std::size_t>(bytes)) == wanted) return name;
  }
  return path;
}

struct Fake {
  explicit Fake(const char *path) : path(path) {
    char error[1024];
    require(qb_library_open(path, "", 1, error, sizeof error) >= 0, "cannot open the library");
    void *module = ::dlopen(loadedCopy(path).c_str(), RTLD_NOW | RTLD_LOCAL);
    require(module != nullptr, std::string("cannot load ") + path);
    const auto take = [&](auto &function, const char *name) {
      function = reinterpret_cast<std::decay_t<decltype(function)>>(::dlsym(module, name));
      require(function != nullptr, std::string("no function ") + name);
    };
    take(connected, "fake_connected");
    take(disconnected, "fake_disconnected");
    take(login, "fake_login");
    take(answer, "fake_answer");
    take(tick, "fake_tick");
    take(stream, "fake_stream_numbered");
    take(endStream, "fake_end_stream");
    take(streamed, "fake_streamed");
  }
  std::string path;
  void (*connected)();
  void (*disconnected)(int);
  void (*login)(int, const char *, const char *, int, int);
  void (*answer)(int, const char *, int, const char *, int);
  void (*tick)(void *);
  void (*stream)(const void *, int, unsigned, unsigned);
  void (*endStream)();
  unsigned (*streamed)();
};

struct EventRing {
  static constexpr std::int32_t capacity = 64;
  EventRing() : bytes(sizeof(qb::EventRingHeader) + capacity * sizeof(qb::Event)), memory(zeroed(bytes)) {
    header = reinterpret_cast<qb::EventRingHeader *>(memory.get());
    header->magic = qb::EventRingHeader::expectedMagic;
    header->capacity = capacity;
    header->eventBytes = sizeof(qb::Event);
    header->headerBytes = sizeof(qb::EventRingHeader);
    header->reserve = capacity / 2;
  }
  bool empty() const { return header->head.load(std::memory_order_seq_cst) == header->tail.load(); }
  int takeAll() {
    int count = 0;
    const auto *events = reinterpret_cast<const qb::Event *>(memory.get() + sizeof(qb::EventRingHeader));
    while (header->head.load(std::memory_order_acquire) != header->tail.load(std::memory_order_relaxed)) {
      const std::uint32_t tail = header->tail.load(std::memory_order_relaxed);
      const qb::Event event = events[tail & (capacity - 1)];
      require(std::memchr(event.text, 0, sizeof event.text) != nullptr, "an event's text has no end");
      header->tail.store(tail + 1, std::memory_order_release);
      count++;
    }
    return count;
  }
  std::size_t bytes;
  Memory memory;
  qb::EventRingHeader *header;
};

// Ids come and go by the thousand while others are looked up: what is subscribed is found at any moment, and what is gone
// leaves no memory behind.
void churnSlots() {
  qb::SlotMap map;
  map.set("stays", 5, 7);
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; i++) {
    readers.emplace_back([&] {
      while (!done) require(map.find("stays", 5) == 7, "a slot is lost while others come and go");
    });
  }
  for (int i = 0; i < 50000; i++) {
    const std::string id = "zz" + std::to_string(i);
    map.set(id.data(), id.size(), i);
    require(map.find(id.data(), id.size()) == i, "a new slot is not found");
    map.set(id.data(), id.size(), qb::SlotMap::noSlot);
    require(map.find(id.data(), id.size()) == qb::SlotMap::noSlot, "a slot stays");
  }
  done = true;
  for (std::thread &reader : readers) reader.join();
  for (int i = 0; i < 200; i++) map.set(std::to_string(i).data(), std::to_string(i).size(), i);
  for (int i = 0; i < 200; i++)
    require(map.find(std::to_string(i).data(), std::to_string(i).size()) == i, "a slot is lost in growing");
  require(map.entries() <= 4096, "memory grows with ids that are gone");
}

void subscribe(int session, int batch, bool on) {
  std::string ids;
  std::vector<std::int32_t> slots;
  for (int i = 0; i < 100; i++) {
    ids += "id" + std::to_string(batch * 100 + i);
    ids += '\0';
    slots.push_back(batch * 100 + i);
  }
  const int bytes = static_cast<int>(ids.size());
  const int code = on ? qb_session_subscribe(session, ids.data(), bytes, slots.data(), 100)
                      : qb_session_unsubscribe(session, ids.data(), bytes, 100);
  require(code == 0, "a subscription failed");
}

// One session, from its start to its release amid ticks and events.
// `silencing`: everything else in the process is silenced too.
void round(const Fake &fake, int library, const std::string &folder, int number, bool silencing = false) {
  EventRing events;
  TickRing ring(256, static_cast<std::uint32_t>(-100));
  Sleeper eventSleeper, tickSleeper;
  const int owner = qb_owner_open(events.memory.get(), static_cast<int>(events.bytes), &eventSleeper.memory,
                                  eventSleeper.fd);
  require(owner >= 0, "no owner");
  char error[512] = "";
  const int session = qb_session_create(owner, library, number, folder.c_str(), ring.memory.get(),
                                        static_cast<int>(ring.bytes), error, sizeof error);
  require(session >= 0, error);
  require(qb_session_add_doorbell(session, &tickSleeper.memory, tickSleeper.fd) == 0, "no doorbell");
  require(qb_session_register_front(session, "tcp://a:1") == 0 && qb_session_init(session) == 0, "no start");

  std::atomic<bool> done{false};
  std::thread eventThread([&] {
    while (!done) {
      events.takeAll();
      eventSleeper.sleep([&] { return events.empty() && !done; });
    }
  });
  std::thread tickThread([&] {
    TickReader reader(ring);
    while (!done) {
      while (reader.next()) require(reader.record().slot == 7, "a tick has another slot");
      tickSleeper.sleep([&] { return !reader.pending() && !done; });
    }
  });

  fake.connected();
  fake.login(0, "\0", "20260227", 1, 0);
  require(qb_session_front_up(session) == 1 && qb_session_trading_day(session) == 20260227, "not connected");
  require(qb_session_login(session, "9999", "user", "secret", 2) == 0, "no login");
  alignas(8) char depth[584] = {};
  std::strcpy(depth + 9, "rb2605");
  std::strcpy(depth + 401, "rb2605");
  const std::int32_t seven = 7;
  require(qb_session_subscribe(session, "rb2605\0", 7, &seven, 1) == 0, "no subscription");
  fake.stream(depth, sizeof depth, 0, UINT32_MAX);
  for (int batch = 0; batch < 12; batch++) {
    subscribe(session, batch, true);
    fake.answer(1, "id1", batch % 2 == 0 ? 0 : 6000, "sub too many insts", batch % 3 == 0);
    if (batch % 3 == 2) subscribe(session, batch, false);
  }
  const unsigned streamed = fake.streamed();
  while (fake.streamed() < streamed + 200) std::this_thread::yield();
  require(qb_session_acknowledged(session) > 0, "no acknowledgement");

  // Closed by everybody at once, amid ticks; late callbacks come after it.
  std::vector<std::thread> closers;
  if (number % 3 != 0) closers.emplace_back([&] { qb_session_close(session); });
  if (number % 3 != 1) closers.emplace_back([&] { qb_owner_close(owner); });
  if (silencing) closers.emplace_back([] { qb_silence_all(); });
  for (std::thread &closer : closers) closer.join();
  while (qb_owner_unreleased(owner) > 0) std::this_thread::yield();
  qb_owner_close(owner);
  fake.tick(depth);
  fake.disconnected(0x1001);
  fake.endStream();
  require(qb_session_login(session, "", "", "", 3) < 0, "a released session takes a login");

  done = true;
  for (Sleeper *sleeper : {&eventSleeper, &tickSleeper}) {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    while (sleeper->memory.parked.load() != 0) qb::Doorbell(&sleeper->memory, sleeper->fd).ring();
  }
  eventThread.join();
  tickThread.join();
}

int openLibrary(const char *path) {
  char error[512] = "";
  const int library = qb_library_open(path, "", 1, error, sizeof error);
  require(library >= 0, error);
  return library;
}

}  // namespace

int main(int count, char **arguments) {
  require(count >= 4, "usage: bridge_stress FOLDER ROUNDS FAKE_LIBRARY...");
  const std::string folder = arguments[1];
  const int rounds = std::atoi(arguments[2]);
  for (const std::uint32_t first : {0u, 0x80000000u - 20000u, 0u - 20000u}) hammerRing(first, 40000);

  churnSlots();

  char error[512] = "";
  require(qb_library_open("/no/such/library.so", "", 1, error, sizeof error) < 0, "opened nothing");
  require(qb_library_open(arguments[0], "", 1, error, sizeof error) < 0, "opened a program");
  // Different libraries side by side, each with its own thread of sessions.
  std::vector<std::thread> lanes;
  for (int i = 3; i < count; i++) {
    lanes.emplace_back([&, i] {
      const Fake fake(arguments[i]);
      const int library = openLibrary(arguments[i]);
      for (int number = 0; number < rounds; number++) {
        round(fake, library, folder + "/" + std::to_string(i), number);
      }
    });
  }
  for (std::thread &lane : lanes) lane.join();
  for (int number = 0; number < 3; number++) {
    round(Fake(arguments[3]), openLibrary(arguments[3]), folder + "/last", number, true);
  }
  std::printf("%d sessions of %d libraries\n", rounds * (count - 3), count - 3);
  return 0;
}
