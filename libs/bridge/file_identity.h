// Which file it is, and in which state.
#pragma once

#include <sys/stat.h>

#include <string>

namespace qb {

struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  off_t bytes = 0;
  timespec modified{};

  FileIdentity() noexcept = default;
  explicit FileIdentity(const struct stat &status) noexcept
      : device(status.st_dev), inode(status.st_ino), bytes(status.st_size), modified(status.st_mtim) {}

  bool operator==(const FileIdentity &other) const noexcept {
    return device == other.device && inode == other.inode && bytes == other.bytes &&
           modified.tv_sec == other.modified.tv_sec && modified.tv_nsec == other.modified.tv_nsec;
  }
  bool operator!=(const FileIdentity &other) const noexcept { return !(*this == other); }
};

// All zero if there is no such file.
inline FileIdentity identityOf(const std::string &path) noexcept {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? FileIdentity(status) : FileIdentity();
}

}  // namespace qb
