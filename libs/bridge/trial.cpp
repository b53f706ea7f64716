#include "trial.h"

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

#include "trial_process.h"

namespace qb {
namespace {

using Clock = std::chrono::steady_clock;

// After this a trial that could not be made is made again.
constexpr std::chrono::seconds inconclusiveFor{2};

struct Trial {
  FileIdentity identity;
  TrialProcess process;
  bool done = false;
  std::string reason;
  Clock::time_point validUntil = Clock::time_point::max();
};

// Never destroyed: threads of trials may outlive static destructors.
struct Trials {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, std::shared_ptr<Trial>> byPath;
};
Trials &trials() {
  static auto *const instance = new Trials;
  return *instance;
}

void run(const std::string &path, const std::shared_ptr<Trial> &trial) {
  bool conclusive = true;
  std::string reason = trial->process.run(path, conclusive);
  Trials &all = trials();
  const std::lock_guard<std::mutex> lock(all.mutex);
  trial->reason = std::move(reason);
  trial->done = true;
  if (!conclusive) trial->validUntil = Clock::now() + inconclusiveFor;
  all.changed.notify_all();
}

// The trial of the file as it is now, begun if there is none.
std::shared_ptr<Trial> trialOf(const std::string &path) {
  const FileIdentity identity = identityOf(path);
  std::shared_ptr<Trial> trial;
  {
    Trials &all = trials();
    const std::lock_guard<std::mutex> lock(all.mutex);
    std::shared_ptr<Trial> &known = all.byPath[path];
    if (known != nullptr && known->identity == identity && Clock::now() < known->validUntil) return known;
    known = std::make_shared<Trial>();
    known->identity = identity;
    trial = known;
  }
  try {
    std::thread([path, trial] { run(path, trial); }).detach();
  } catch (const std::system_error &) {
    run(path, trial);  // no thread is left: the caller's own has to wait
  }
  return trial;
}

}  // namespace

bool trialUnderWay(const std::string &path) {
  const std::shared_ptr<Trial> trial = trialOf(path);
  const std::lock_guard<std::mutex> lock(trials().mutex);
  return !trial->done;
}

std::string whyNotSafe(const std::string &path, FileIdentity &tried) {
  const std::shared_ptr<Trial> trial = trialOf(path);
  tried = trial->identity;
  Trials &all = trials();
  std::unique_lock<std::mutex> lock(all.mutex);
  all.changed.wait(lock, [&trial] { return trial->done; });
  return trial->reason;
}

void abandonTrials() noexcept {
  Trials &all = trials();
  const std::lock_guard<std::mutex> lock(all.mutex);
  for (const auto &[path, trial] : all.byPath) {
    if (!trial->done) trial->process.abandon();
  }
}

}  // namespace qb
