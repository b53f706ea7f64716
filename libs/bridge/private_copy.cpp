#include "private_copy.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace qb {
namespace {

constexpr char descriptors[] = "/proc/self/fd/";
// Newer kernels want to be told; older ones refuse what they do not know.
constexpr unsigned executable = 0x0010;
constexpr std::size_t chunkBytes = 1 << 20;

int openMemory(const std::string &path) {
  const std::string name = path.substr(path.rfind('/') + 1).substr(0, 200);
  const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  const int fd = ::memfd_create(name.c_str(), flags | executable);
  return fd >= 0 || errno != EINVAL ? fd : ::memfd_create(name.c_str(), flags);
}

bool isStill(int fd, const FileIdentity &expected) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && FileIdentity(status) == expected;
}

bool copyAll(int from, int to, off_t bytes) {
  while (bytes > 0) {
    const ssize_t count = ::sendfile(to, from, nullptr, bytes < static_cast<off_t>(chunkBytes) ? bytes : chunkBytes);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    if (count == 0) {
      errno = EIO;  // cut short meanwhile
      return false;
    }
    bytes -= count;
  }
  return true;
}

}  // namespace

std::string copyPrivately(const std::string &path, const FileIdentity &expected, std::string &error) {
  const int from = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const int to = from < 0 ? -1 : openMemory(path);
  const bool copied = to >= 0 && isStill(from, expected) && copyAll(from, to, expected.bytes);
  if (!copied) error = std::strerror(errno);
  const bool same = from >= 0 && isStill(from, expected);
  if (from >= 0) ::close(from);
  if (copied && same) {
    ::fcntl(to, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK);
    // Stays open: the loader knows libraries by their names, and the next copy must not have this one's.
    return descriptors + std::to_string(to);
  }
  if (to >= 0) ::close(to);
  if (!same) error = "it is being changed";
  return "";
}

void discardCopy(const std::string &copy) { ::close(std::stoi(copy.substr(sizeof descriptors - 1))); }

}  // namespace qb
