// Where a group of sessions sends its control events: one connection worker's event ring and doorbell.
#pragma once

#include <mutex>

#include "doorbell.h"
#include "event_ring.h"

namespace qb {

class Owner {
 public:
  bool attach(void *ring, std::size_t bytes, void *doorbell, int eventFd) noexcept;

  // Any thread. Events after detach() are dropped. `lost` as in EventRingWriter::push.
  void push(const Event &event, bool critical, std::atomic<std::uint32_t> *lost = nullptr) noexcept;

  // After this the shared memory is not touched any more.
  void detach() noexcept;
  bool attached() noexcept;

 private:
  std::mutex mutex_;
  EventRingWriter ring_;
  Doorbell doorbell_;
};

}  // namespace qb
