#include "flow_folder.h"

#include <filesystem>
#include <mutex>
#include <set>
#include <system_error>

namespace qb {
namespace {

// Never destroyed: sessions may outlive static destructors.
struct Taken {
  std::mutex mutex;
  std::set<std::string> keys;
};
Taken &taken() {
  static auto *const instance = new Taken;
  return *instance;
}

}  // namespace

bool FlowFolder::take(const std::string &name, std::string &error) {
  giveBack();
  std::string base = name;
  while (base.size() > 1 && base.back() == '/') base.pop_back();
  for (int number = 1;; number++) {
    std::string path = number == 1 ? base : base + "." + std::to_string(number);
    std::error_code code;
    std::filesystem::create_directories(path, code);
    std::string key = code ? "" : std::filesystem::canonical(path, code).string();
    path += '/';
    if (code) {
      error = path + ": the folder for flow files cannot be made: " + code.message();
      return false;
    }
    const std::lock_guard<std::mutex> lock(taken().mutex);
    if (!taken().keys.insert(key).second) continue;
    path_ = std::move(path);
    key_ = std::move(key);
    return true;
  }
}

void FlowFolder::giveBack() noexcept {
  if (key_.empty()) return;
  const std::lock_guard<std::mutex> lock(taken().mutex);
  taken().keys.erase(key_);
  key_.clear();
}

}  // namespace qb
