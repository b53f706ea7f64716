// Writers for the tests of the rings and of the doorbell: the bridge's own headers, driven by a native thread.
#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>

#include "doorbell.h"
#include "event_ring.h"
#include "tick_ring.h"

#define HAMMER_API extern "C" __attribute__((visibility("default")))

namespace {

std::atomic<int> running{0};
std::atomic<std::uint32_t> written{0};
std::atomic<bool> stopping{false};

// Writes record n, of which every word follows from n, so that a reader can tell a torn copy.
void writeRecord(qb::TickRingWriter &writer, std::uint32_t n) {
  qb::TickRecord record;
  record.slot = static_cast<std::int32_t>(n * 2654435761u);
  auto *words = reinterpret_cast<std::uint32_t *>(&record);
  for (std::size_t i = 2; i < sizeof record / 4; i++) words[i] = n ^ static_cast<std::uint32_t>(i * 0x9e3779b9u);
  writer.write(record);
}

std::uint32_t scramble(std::uint32_t &state) {
  state ^= state << 13;
  state ^= state >> 17;
  return state ^= state << 5;
}

}  // namespace

// Writes `count` records from another thread. After each `burst` records on average it pauses for up to
// `maxPauseUs`; burst 0 never pauses. In a lossless ring it waits for the reader. -1 if the memory is no ring or a writer is already running.
HAMMER_API int hammer_start(void *ring, int ringBytes, void *parked, int eventFd, std::uint32_t first,
                            std::uint32_t count, std::uint32_t burst, std::uint32_t maxPauseUs) {
  qb::TickRingWriter writer;
  if (running.exchange(1) != 0) return -1;
  if (!writer.attach(ring, static_cast<std::size_t>(ringBytes))) {
    running = 0;
    return -1;
  }
  written = 0;
  stopping = false;
  std::thread([=]() mutable {
    const qb::Doorbell doorbell(parked, eventFd);
    std::uint32_t random = 12345;
    for (std::uint32_t i = 0; i < count; i++) {
      writer.waitForRoom([] { return stopping.load(); });
      writeRecord(writer, first + i);
      std::atomic_thread_fence(std::memory_order_seq_cst);
      doorbell.ring();
      written.store(i + 1, std::memory_order_relaxed);
      if (burst != 0 && scramble(random) % burst == 0) {
        std::this_thread::sleep_for(std::chrono::microseconds(scramble(random) % (maxPauseUs + 1)));
      }
    }
    running = 0;
  }).detach();
  return 0;
}

// Writes record i only once the reader has set *acks to i, after a spin of up to `maxSpin` rounds: so that each
// record is the last one for a while, and races with the reader's parking.
HAMMER_API int hammer_start_replies(void *ring, int ringBytes, void *parked, int eventFd, void *acks,
                                    std::uint32_t count, std::uint32_t maxSpin) {
  qb::TickRingWriter writer;
  if (running.exchange(1) != 0) return -1;
  if (!writer.attach(ring, static_cast<std::size_t>(ringBytes))) {
    running = 0;
    return -1;
  }
  std::thread([=]() mutable {
    const qb::Doorbell doorbell(parked, eventFd);
    const auto *acknowledged = static_cast<std::atomic<std::uint32_t> *>(acks);
    std::uint32_t random = 54321;
    for (std::uint32_t i = 0; i < count; i++) {
      while (acknowledged->load() < i) __builtin_ia32_pause();
      // A reader that gave up says so with the highest number.
      if (acknowledged->load() == UINT32_MAX) break;
      for (std::uint32_t spin = scramble(random) % (maxSpin + 1); spin > 0; spin--) __builtin_ia32_pause();
      writeRecord(writer, i);
      std::atomic_thread_fence(std::memory_order_seq_cst);
      doorbell.ring();
    }
    running = 0;
  }).detach();
  return 0;
}

// From here on hammer_start's thread waits for no reader.
HAMMER_API void hammer_stop_waiting() { stopping = true; }

HAMMER_API int hammer_running() { return running; }
HAMMER_API std::uint32_t hammer_written() { return written; }

// Nanoseconds per record without a reader, on the calling thread.
HAMMER_API double hammer_measure(void *ring, int ringBytes, void *parked, int eventFd, std::uint32_t count) {
  qb::TickRingWriter writer;
  if (!writer.attach(ring, static_cast<std::size_t>(ringBytes))) return -1;
  const qb::Doorbell doorbell(parked, eventFd);
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint32_t i = 0; i < count; i++) {
    writeRecord(writer, i);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    doorbell.ring();
  }
  const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - begin;
  return spent.count() / count;
}

// 1 written, 0 dropped, -1 no event ring.
HAMMER_API int event_push(void *ring, int ringBytes, int type, int code, const char *id, const char *text,
                          int critical) {
  qb::EventRingWriter writer;
  if (!writer.attach(ring, static_cast<std::size_t>(ringBytes))) return -1;
  qb::Event event{};
  event.type = static_cast<qb::EventType>(type);
  event.code = code;
  std::strncpy(event.instrumentId, id, sizeof event.instrumentId - 1);
  std::strncpy(event.text, text, sizeof event.text - 1);
  return writer.push(event, critical != 0) ? 1 : 0;
}
