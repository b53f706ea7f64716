#include "owner.h"

namespace qb {

bool Owner::attach(void *ring, std::size_t bytes, void *doorbell, int eventFd) noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  doorbell_ = Doorbell(doorbell, eventFd);
  return ring_.attach(ring, bytes);
}

void Owner::push(const Event &event, bool critical, std::atomic<std::uint32_t> *lost) noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!ring_.attached()) return;
  // A dropped event rings too: the reader must learn that it lost something.
  ring_.push(event, critical, lost);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  doorbell_.ring();
}

void Owner::detach() noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  ring_.detach();
  doorbell_ = Doorbell();
}

bool Owner::attached() noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  return ring_.attached();
}

}  // namespace qb
