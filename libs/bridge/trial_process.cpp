#include "trial_process.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "trial.h"

extern char **environ;

namespace qb {
namespace {

constexpr int trialDeadlineMs = 15000;

// The program lies beside the bridge.
std::string trialProgram() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<void *>(&whyNotSafe), &info) == 0 || info.dli_fname == nullptr) return "";
  const std::string self = info.dli_fname;
  return self.substr(0, self.rfind('/') + 1) + "library_trial";
}

const char *during(char step) {
  switch (static_cast<TrialStep>(step)) {
    case TrialStep::version: return "when it was asked for its version";
    case TrialStep::session: return "when it was asked for a session";
    case TrialStep::loading:
    case TrialStep::passed: break;
  }
  return "while it was loaded";
}

// The last step that was reported before the process ended; `inTime` is false if it has to be killed.
char followSteps(int fd, bool &inTime) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::milliseconds(trialDeadlineMs);
  char last = static_cast<char>(TrialStep::loading);
  inTime = true;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd waiting{fd, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, left > 0 ? static_cast<int>(left) : 0);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      inTime = false;
      return last;
    }
    char steps[16];
    const ssize_t count = ::read(fd, steps, sizeof steps);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return last;  // its end is closed: it is gone
    last = steps[count - 1];
    if (last == static_cast<char>(TrialStep::passed)) return last;
  }
}

class Pipe {
 public:
  Pipe() {
    if (::pipe2(ends_, O_CLOEXEC) != 0) ends_[0] = ends_[1] = -1;
  }
  ~Pipe() {
    closeWriting();
    if (ends_[0] >= 0) ::close(ends_[0]);
  }
  Pipe(const Pipe &) = delete;
  Pipe &operator=(const Pipe &) = delete;
  bool open() const { return ends_[0] >= 0; }
  int reading() const { return ends_[0]; }
  int writing() const { return ends_[1]; }
  void closeWriting() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  int ends_[2];
};

}  // namespace

bool TrialProcess::makeFolder() {
  std::error_code none;
  const std::filesystem::path parent = std::filesystem::temp_directory_path(none);
  std::string folder = (none ? "/tmp" : parent.string()) + "/qactpmd-trial-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) return false;
  folder_ = folder;
  return true;
}

void TrialProcess::removeFolder() noexcept {
  if (folder_.empty()) return;
  std::error_code ignored;  // a left-over folder does not speak against the library
  std::filesystem::remove_all(folder_, ignored);
  folder_.clear();
}

int TrialProcess::start(const std::string &program, const std::string &library, int report) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (abandoned_) return ECANCELED;
  if (!makeFolder()) return errno;
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  // What the library prints is of no interest here; the report comes last, lest it is overwritten.
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, report, trialReportFd);
  const std::string flow = folder_ + "/";
  char *const arguments[] = {const_cast<char *>(program.c_str()), const_cast<char *>(library.c_str()),
                             const_cast<char *>(flow.c_str()), nullptr};
  const int failure = ::posix_spawn(&process_, program.c_str(), &actions, nullptr, arguments, environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) {
    process_ = -1;
    removeFolder();
  }
  return failure;
}

int TrialProcess::reap() noexcept {
  int status = 0;
  // Not reaped yet, so that its number cannot be another's when abandon() uses it.
  siginfo_t ended{};
  while (::waitid(P_PID, static_cast<id_t>(process_), &ended, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  while (::waitpid(process_, &status, 0) < 0) {
    if (errno == EINTR) continue;
    status = 0;
    break;
  }
  process_ = -1;
  removeFolder();
  return status;
}

std::string TrialProcess::run(const std::string &library, bool &conclusive) {
  conclusive = false;
  const std::string program = trialProgram();
  Pipe report;
  if (!report.open()) return std::string("cannot be tried out: ") + std::strerror(errno);
  if (const int failure = start(program, library, report.writing()); failure != 0) {
    return "cannot be tried out: " + program + ": " + std::strerror(failure);
  }
  conclusive = true;
  report.closeWriting();
  bool inTime = true;
  const char step = followSteps(report.reading(), inTime);
  if (!inTime) ::kill(process_, SIGKILL);
  const int status = reap();
  if (step == static_cast<char>(TrialStep::passed)) return "";
  const std::string when = std::string(" ") + during(step) + ", so it is not used";
  if (!inTime) return "it did not return within " + std::to_string(trialDeadlineMs / 1000) + " s" + when;
  if (WIFSIGNALED(status)) return std::string("it crashed (") + ::strsignal(WTERMSIG(status)) + ")" + when;
  return "it ended the process" + when;
}

void TrialProcess::abandon() noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  abandoned_ = true;
  if (process_ < 0) return;
  ::kill(process_, SIGKILL);
  removeFolder();
}

}  // namespace qb
