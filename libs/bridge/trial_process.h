// One trial of a library: its process, and the folder that it may use.
#pragma once

#include <sys/types.h>

#include <mutex>
#include <string>

namespace qb {

class TrialProcess {
 public:
  // Waits for the end of the trial, some 15 s at most. Why the library must not be used; empty if it may.
  // `conclusive` is false where the trial itself failed, which says nothing about the library.
  std::string run(const std::string &library, bool &conclusive);

  // Any thread, while run() is under way: ends the process and removes the folder.
  void abandon() noexcept;

 private:
  bool makeFolder();
  void removeFolder() noexcept;
  int start(const std::string &program, const std::string &library, int report);
  // Waits for the end of the process.
  int reap() noexcept;

  std::mutex mutex_;  // guards what follows
  pid_t process_ = -1;
  std::string folder_;
  bool abandoned_ = false;
};

}  // namespace qb
