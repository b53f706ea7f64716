#include "releaser.h"

#include <atomic>
#include <chrono>
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

using Clock = std::chrono::steady_clock;

// ms after which a release is given up: it keeps its thread, and another thread continues with the next session.
std::atomic<int> releaseLimitMs{10'000};

// Never destroyed: the threads live until the process ends.
//
// At most one thread releases (`turn` is its number) beside those that were given up, and while there is something in
// line, one waits to take over.
struct Releaser {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::shared_ptr<Session>> line;
  int waiting = 0;  // threads
  bool busy = false;
  bool held = false;
  unsigned turn = 0;
  Clock::time_point giveUpAt;

  // The caller holds the lock. Throws if there is no thread.
  void addThread() {
    std::thread([this] { run(); }).detach();
    waiting++;
  }

  void awaitTurn(std::unique_lock<std::mutex> &lock) {
    for (;;) {
      if (line.empty() || held) {
        changed.wait(lock);
      } else if (busy && Clock::now() < giveUpAt) {
        changed.wait_until(lock, giveUpAt);
      } else {
        return;
      }
    }
  }

  void run() {
    std::unique_lock<std::mutex> lock(mutex);
    for (;;) {
      awaitTurn(lock);
      std::shared_ptr<Session> session = std::move(line.front());
      line.pop_front();
      const unsigned mine = ++turn;
      busy = true;
      giveUpAt = Clock::now() + std::chrono::milliseconds{releaseLimitMs.load()};
      waiting--;
      if (!line.empty()) standBy();
      lock.unlock();
      session->release();
      forgetSession(session->handle());
      session.reset();
      lock.lock();
      if (turn != mine) return;  // was given up: another thread continues
      busy = false;
      if (line.empty() && waiting > 0) return;
      waiting++;
      changed.notify_one();
    }
  }

  // Sees to it that somebody notices when the release that is under way does not return. The caller holds the lock.
  void standBy() noexcept {
    if (waiting > 0) return;
    try {
      addThread();
    } catch (const std::exception &) {
      // No thread is left: those in line wait for the one that releases.
    }
  }
};

Releaser &releaser() {
  static auto *const instance = new Releaser;
  return *instance;
}

}  // namespace

void limitRelease(int ms) noexcept { releaseLimitMs = ms; }

void holdReleases(bool hold) noexcept {
  Releaser &self = releaser();
  const std::lock_guard<std::mutex> lock(self.mutex);
  self.held = hold;
  self.changed.notify_all();
}

bool releaseLater(std::shared_ptr<Session> session) noexcept {
  try {
    Releaser &self = releaser();
    const std::lock_guard<std::mutex> lock(self.mutex);
    if (self.waiting == 0 && !self.busy) self.addThread();
    self.line.push_back(std::move(session));
    self.standBy();
    self.changed.notify_all();
    return true;
  } catch (const std::exception &) {
    // No memory or no thread: the session stays silent but is not released.
    return false;
  }
}

}  // namespace qb
