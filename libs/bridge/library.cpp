#include "library.h"

#include <dlfcn.h>

#include <climits>
#include <cstdlib>
#include <mutex>
#include <vector>

#include "elf_check.h"

namespace qb {
namespace {

// Never destroyed: vendor threads may outlive static destructors.
struct Libraries {
  std::mutex mutex;
  std::vector<const Library *> list;
};
Libraries &libraries() {
  static auto *const instance = new Libraries;
  return *instance;
}

Factory findFactory(void *module, void *&symbol) {
  if ((symbol = ::dlsym(module, vendor::createBbbSymbol)) != nullptr) return Factory::bbb;
  if ((symbol = ::dlsym(module, vendor::createBbSymbol)) != nullptr) return Factory::bb;
  if ((symbol = ::dlsym(module, vendor::createBSymbol)) != nullptr) return Factory::b;
  return Factory::none;
}

}  // namespace

vendor::Api *Library::createApi(const char *flowPath) const {
  if (layout->factory == Factory::bbb) {
    return reinterpret_cast<vendor::CreateBbb>(create)(flowPath, false, false, true);
  }
  return reinterpret_cast<vendor::CreateBb>(create)(flowPath, false, false);
}

const Library *openLibrary(const char *path, std::string &error, int &handle) {
  const std::string reason = whyNotLoadable(path);
  if (!reason.empty()) {
    error = std::string(path) + ": " + reason;
    return nullptr;
  }
  char resolved[PATH_MAX];
  if (::realpath(path, resolved) == nullptr) {
    error = std::string(path) + ": no such file";
    return nullptr;
  }
  Libraries &all = libraries();
  const std::lock_guard<std::mutex> lock(all.mutex);
  for (std::size_t i = 0; i < all.list.size(); i++) {
    if (all.list[i]->path == resolved) {
      handle = static_cast<int>(i);
      return all.list[i];
    }
  }
  void *module = ::dlopen(resolved, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (module == nullptr) {
    const char *text = ::dlerror();
    error = std::string(path) + ": cannot be loaded: " + (text == nullptr ? "unknown reason" : text);
    return nullptr;
  }
  void *create = nullptr;
  const Factory factory = findFactory(module, create);
  if (factory == Factory::none && ::dlsym(module, vendor::createStockOptionsSymbol) != nullptr) {
    error = std::string(path) + ": it is for stock options, another product";
    return nullptr;
  }
  const auto getVersion = reinterpret_cast<vendor::GetVersion>(::dlsym(module, vendor::getVersionSymbol));
  const char *version = getVersion == nullptr ? nullptr : getVersion();
  const LayoutChoice choice = chooseLayout(version, factory);
  if (choice.layout == nullptr) {
    error = std::string(path) + ": " + choice.text;
    return nullptr;
  }
  auto *library = new Library;
  library->path = resolved;
  library->version = version == nullptr ? "" : version;
  library->warning = choice.text;
  library->layout = choice.layout;
  library->create = create;
  handle = static_cast<int>(all.list.size());
  all.list.push_back(library);
  return library;
}

const Library *libraryAt(int handle) {
  Libraries &all = libraries();
  const std::lock_guard<std::mutex> lock(all.mutex);
  if (handle < 0 || static_cast<std::size_t>(handle) >= all.list.size()) return nullptr;
  return all.list[static_cast<std::size_t>(handle)];
}

}  // namespace qb
