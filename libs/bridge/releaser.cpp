#include "releaser.h"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "registry.h"
#include "session.h"

namespace qb {
namespace {

// Never destroyed: the thread lives until the process ends.
struct Releaser {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::shared_ptr<Session>> line;
  bool started = false;

  void run() {
    for (;;) {
      std::shared_ptr<Session> session;
      {
        std::unique_lock<std::mutex> lock(mutex);
        changed.wait(lock, [this] { return !line.empty(); });
        session = std::move(line.front());
        line.pop_front();
      }
      session->release();
      forgetSession(session->handle());
    }
  }
};

Releaser &releaser() {
  static auto *const instance = new Releaser;
  return *instance;
}

}  // namespace

bool releaseLater(std::shared_ptr<Session> session) noexcept {
  try {
    Releaser &self = releaser();
    const std::lock_guard<std::mutex> lock(self.mutex);
    self.line.push_back(std::move(session));
    if (!self.started) {
      std::thread([&self] { self.run(); }).detach();
      self.started = true;
    }
    self.changed.notify_one();
    return true;
  } catch (const std::exception &) {
    // No memory or no thread: the session stays silent but is not released.
    return false;
  }
}

}  // namespace qb
