// Wakes a reader that sleeps in its event loop: an eventfd, written only while the reader says it is parked.
//
//   shared memory:  i32 parked    1 from the moment the reader decides to sleep until someone rings
//                   i32 ringing   writers between looking at parked and having written the eventfd
//
// No wake-up is lost: the writer publishes its data, then (full fence) reads parked; the reader sets parked,
// then (full fence) looks for data again. At least one of them sees the other.
// `ringing` lets the reader close the eventfd: with parked = 0 and ringing = 0 nobody will write to it, so a
// reused descriptor number is never written by mistake.
#pragma once

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

namespace qb {

struct DoorbellMemory {
  std::atomic<std::int32_t> parked, ringing;
};
static_assert(sizeof(DoorbellMemory) == 8);

class Doorbell {
 public:
  Doorbell() noexcept = default;
  Doorbell(void *memory, int eventFd) noexcept
      : memory_(static_cast<DoorbellMemory *>(memory)), eventFd_(eventFd) {}

  // The caller has published its data and executed a full fence.
  void ring() const noexcept {
    if (memory_ == nullptr || memory_->parked.load(std::memory_order_relaxed) == 0) return;
    memory_->ringing.fetch_add(1, std::memory_order_seq_cst);
    if (memory_->parked.exchange(0, std::memory_order_seq_cst) != 0) {
      const int savedErrno = errno;
      const std::uint64_t one = 1;
      while (::write(eventFd_, &one, sizeof one) < 0 && errno == EINTR) {
      }
      errno = savedErrno;
    }
    memory_->ringing.fetch_sub(1, std::memory_order_seq_cst);
  }

 private:
  DoorbellMemory *memory_ = nullptr;
  int eventFd_ = -1;
};

}  // namespace qb
