// The folder in which the library keeps a session's flow files. Two sessions must never share one, and a session that
// the library does not let go of may use its own to the end of the process.
#pragma once

#include <string>

namespace qb {

class FlowFolder {
 public:
  FlowFolder() = default;
  ~FlowFolder() { giveBack(); }
  FlowFolder(const FlowFolder &) = delete;
  FlowFolder &operator=(const FlowFolder &) = delete;

  // Makes and takes the folder of this name, or where a session of this process has that one, NAME.2 and so on.
  // False with the reason in `error`.
  bool take(const std::string &name, std::string &error);
  void giveBack() noexcept;

  // Ends with a slash: the library only concatenates names.
  const std::string &path() const noexcept { return path_; }

 private:
  std::string path_;
  std::string key_;
};

}  // namespace qb
