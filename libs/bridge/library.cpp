#include "library.h"

#include <dlfcn.h>

#include <climits>
#include <cstdlib>
#include <mutex>
#include <vector>

#include "elf_check.h"
#include "trial.h"
#include "vendor_symbols.h"

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

bool same(const Library &library, const char *path, const LibraryOptions &options) {
  return library.path == path && library.options.version == options.version &&
         library.options.production == options.production;
}

bool wasLoaded(const char *path) {
  Libraries &all = libraries();
  const std::lock_guard<std::mutex> lock(all.mutex);
  for (const Library *library : all.list) {
    if (library->path == path) return true;
  }
  return false;
}

// Null with the reason, which does not name the path, in `error`.
Library *load(const char *path, const LibraryOptions &options, std::string &error) {
  void *module = loadLibrary(path);
  if (module == nullptr) {
    const char *text = ::dlerror();
    error = std::string("cannot be loaded: ") + (text == nullptr ? "unknown reason" : text);
    return nullptr;
  }
  const VendorSymbols symbols = findSymbols(module);
  if (symbols.stockOptions) {
    error = "it is for stock options, another product";
    return nullptr;
  }
  const char *version = nullptr;
  try {
    if (symbols.getVersion != nullptr) version = symbols.getVersion();
  } catch (...) {
    error = "it threw an exception when it was asked for its version";
    return nullptr;
  }
  const LayoutChoice choice = chooseLayout(version, symbols.factory, options.version);
  if (choice.layout == nullptr) {
    error = choice.text;
    return nullptr;
  }
  auto *library = new Library;
  library->path = path;
  library->options = options;
  library->version = version == nullptr ? "" : version;
  library->warning = choice.text;
  library->layout = choice.layout;
  library->factory = symbols.factory;
  library->create = symbols.create;
  if (!options.production && symbols.factory != Factory::bbb) {
    if (!library->warning.empty()) library->warning += "; ";
    library->warning += "it has no flag for evaluation back ends, production_mode false changes nothing";
  }
  return library;
}

}  // namespace

VendorApi Library::createApi(const char *flowPath) const {
  return {callFactory(factory, create, flowPath, options.production), layout->abi};
}

bool libraryUnderTrial(const char *path) {
  char resolved[PATH_MAX];
  if (!whyNotLoadable(path).empty() || ::realpath(path, resolved) == nullptr) return false;
  return !wasLoaded(resolved) && trialUnderWay(resolved);
}

const Library *openLibrary(const char *path, const LibraryOptions &options, std::string &error, int &handle) {
  std::string reason = whyNotLoadable(path);
  char resolved[PATH_MAX];
  if (reason.empty() && ::realpath(path, resolved) == nullptr) reason = "no such file";
  // Outside the lock: nobody who opens another library waits for this one's trial.
  if (reason.empty() && !wasLoaded(resolved)) reason = whyNotSafe(resolved);
  if (reason.empty()) {
    Libraries &all = libraries();
    const std::lock_guard<std::mutex> lock(all.mutex);
    for (std::size_t i = 0; i < all.list.size(); i++) {
      if (same(*all.list[i], resolved, options)) {
        handle = static_cast<int>(i);
        return all.list[i];
      }
    }
    if (const Library *library = load(resolved, options, reason); library != nullptr) {
      handle = static_cast<int>(all.list.size());
      all.list.push_back(library);
      return library;
    }
  }
  error = std::string(path) + ": " + reason;
  return nullptr;
}

const Library *libraryAt(int handle) {
  Libraries &all = libraries();
  const std::lock_guard<std::mutex> lock(all.mutex);
  if (handle < 0 || static_cast<std::size_t>(handle) >= all.list.size()) return nullptr;
  return all.list[static_cast<std::size_t>(handle)];
}

}  // namespace qb
