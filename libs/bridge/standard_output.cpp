#include "standard_output.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace qb {
namespace {

constexpr int pipeBytes = 256 * 1024;

int changed = -1;  // whose flags are put back at the end
int flagsBefore = 0;

void putFlagsBack() {
  if (changed >= 0) ::fcntl(changed, F_SETFL, flagsBefore);
}

// A reader who stalls must not hold a thread of the process in write(), where even its end would wait for it. But who
// shares this output, the shell that started us among them, does not expect that of it: a pipe is opened once more,
// for us alone. A socket cannot be, and gets its flags back at the end.
// Returns the descriptor to use, which may be another one.
int neverWaitFor(int fd) noexcept {
  struct stat status {};
  if (::fstat(fd, &status) != 0 || !(S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode))) return fd;
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || (flags & O_NONBLOCK) != 0) return fd;
  if (S_ISFIFO(status.st_mode)) {
    char path[32];
    std::snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const int own = ::open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (own > STDERR_FILENO) {
      ::close(fd);
      return own;
    }
    if (own >= 0) ::close(own);
  }
  if (::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) return fd;
  changed = fd;
  flagsBefore = flags;
  std::atexit(putFlagsBack);
  return fd;
}

}  // namespace

bool divertStandardOutput(Diversion &result) noexcept {
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC | O_NONBLOCK) != 0) return false;
  int original = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  int placed = -1;
  if (original >= 0) {
    while ((placed = ::dup2(pipe[1], STDOUT_FILENO)) < 0 && errno == EINTR) {
    }
  }
  ::close(pipe[1]);
  if (placed < 0) {
    ::close(pipe[0]);
    if (original >= 0) ::close(original);
    return false;
  }
  original = neverWaitFor(original);
  ::fcntl(pipe[0], F_SETPIPE_SZ, pipeBytes);  // more room if the system grants it
  // By lines, although it is no terminal: a line is of use when it is printed.
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  result = {original, pipe[0]};
  return true;
}

void restoreStandardOutput() noexcept { putFlagsBack(); }

}  // namespace qb
