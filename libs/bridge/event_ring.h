// Control events on their way to a connection worker: everything the library says besides ticks.
//
//   byte 0      i32 magic, capacity (power of two), event bytes, header bytes, reserve
//        64     u32 head   events written
//        68     u32 tail   events taken by the reader
//        72     u32 ordinary events dropped, the ring being full up to its reserve
//        76     u32 critical events dropped, the ring being full
//        128    capacity events of 256 bytes
//
// Unlike the tick ring it never overwrites: a full ring drops the new event and counts it. The last `reserve`
// places are kept for critical events (connection and login), so that a flood of refused subscriptions cannot
// hide a lost front. Several vendor threads write; the caller holds a lock. One thread reads.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace qb {

enum class EventType : std::int32_t {
  frontConnected = 1,
  frontDisconnected = 2,
  heartbeatWarning = 3,
  loginResponse = 4,
  logoutResponse = 5,
  error = 6,
  subscribeRefused = 7,
  unsubscribeRefused = 8,
  released = 9,
};

struct Event {
  EventType type;
  std::int32_t connection;  // index of the connection
  std::int32_t session;  // handle
  std::int32_t code;     // disconnect reason, error id, or seconds of silence
  std::int32_t requestId;
  std::int32_t tradingDay;  // as in TickRecord; of a login response
  std::int32_t frontId, sessionId;
  char instrumentId[88];
  char text[88];  // GB18030
  char systemName[48];
};
static_assert(sizeof(Event) == 256);

struct EventRingHeader {
  static constexpr std::int32_t expectedMagic = 0x746e7665;  // "evnt"

  std::int32_t magic, capacity, eventBytes, headerBytes, reserve;
  std::int32_t unused1[11];
  std::atomic<std::uint32_t> head, tail, ordinaryLost, criticalLost;
  std::int32_t unused2[12];
};
static_assert(sizeof(EventRingHeader) == 128);
static_assert(offsetof(EventRingHeader, head) == 64);

class EventRingWriter {
 public:
  bool attach(void *memory, std::size_t bytes) noexcept {
    if (memory == nullptr || bytes < sizeof(EventRingHeader)) return false;
    auto *header = static_cast<EventRingHeader *>(memory);
    const auto capacity = static_cast<std::uint32_t>(header->capacity);
    if (header->magic != EventRingHeader::expectedMagic || header->eventBytes != sizeof(Event) ||
        header->headerBytes != sizeof(EventRingHeader) || capacity == 0 ||
        (capacity & (capacity - 1)) != 0 || header->reserve < 0 || header->reserve >= header->capacity ||
        bytes != sizeof(EventRingHeader) + std::size_t{capacity} * sizeof(Event)) {
      return false;
    }
    header_ = header;
    events_ = reinterpret_cast<Event *>(static_cast<char *>(memory) + sizeof(EventRingHeader));
    return true;
  }

  void detach() noexcept { header_ = nullptr; }
  bool attached() const noexcept { return header_ != nullptr; }

  // False if the event was dropped and counted: first in `lost`, if there is one, so that a reader who sees the
  // ring's count grow sees that one grown.
  bool push(const Event &event, bool critical, std::atomic<std::uint32_t> *lost = nullptr) noexcept {
    const auto capacity = static_cast<std::uint32_t>(header_->capacity);
    const std::uint32_t head = header_->head.load(std::memory_order_relaxed);
    const std::uint32_t used = head - header_->tail.load(std::memory_order_acquire);
    const std::uint32_t room = critical ? capacity : capacity - static_cast<std::uint32_t>(header_->reserve);
    if (used >= room) {
      if (lost != nullptr) lost->fetch_add(1, std::memory_order_relaxed);
      (critical ? header_->criticalLost : header_->ordinaryLost).fetch_add(1, std::memory_order_release);
      return false;
    }
    events_[head & (capacity - 1)] = event;
    header_->head.store(head + 1, std::memory_order_release);
    return true;
  }

 private:
  EventRingHeader *header_ = nullptr;
  Event *events_ = nullptr;
};

}  // namespace qb
