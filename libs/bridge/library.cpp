#include "library.h"

#include <climits>
#include <cstdlib>
#include <mutex>
#include <vector>

#include "elf_check.h"
#include "trial.h"
#include "vendor_symbols.h"

namespace qb {
namespace {

// Attempts to wait for a file that keeps changing.
constexpr int mostReadings = 5;

// A file as it was when it was loaded.
struct Module {
  std::string path;
  FileIdentity identity;
  LoadedModule loaded;
};

// Never destroyed: vendor threads may outlive static destructors.
struct Libraries {
  std::mutex mutex;
  std::vector<const Library *> list;
  std::vector<Module> modules;
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

// The module of a library that is open, whatever has become of its file; otherwise of the file as it is. The caller holds
// the lock.
LoadedModule moduleOf(Libraries &all, const std::string &path, const FileIdentity &identity) {
  const bool open = identity == FileIdentity();
  // The newest first: of a path whose library is open, none was loaded after it.
  for (auto module = all.modules.rbegin(); module != all.modules.rend(); ++module) {
    if (module->path == path && (open || module->identity == identity)) return module->loaded;
  }
  LoadedModule loaded = loadLibrary(path, identity);
  if (loaded.handle != nullptr) all.modules.push_back({path, identity, loaded});
  return loaded;
}

void add(std::string &warnings, const std::string &warning) {
  if (warning.empty()) return;
  if (!warnings.empty()) warnings += "; ";
  warnings += warning;
}

LibraryFacts factsOf(const LoadedModule &module, const std::string &assertedVersion) {
  LibraryFacts facts;
  if (module.handle == nullptr) {
    facts.refusal = module.text;
    return facts;
  }
  facts.loaded = true;
  const VendorSymbols symbols = findSymbols(module.handle);
  facts.exports = symbols.exports;
  facts.create = symbols.create;
  const char *version = nullptr;
  try {
    if (symbols.getVersion != nullptr) version = symbols.getVersion();
  } catch (...) {
    facts.refusal = "it threw an exception when it was asked for its version";
    return facts;
  }
  facts.tellsVersion = version != nullptr;
  facts.version = version == nullptr ? "" : version;
  facts.choice = chooseInterface(version, symbols.exports, assertedVersion);
  (facts.choice.layout == nullptr ? facts.refusal : facts.warning) = facts.choice.text;
  add(facts.warning, module.text);
  return facts;
}

// Null with the reason, which does not name the path, in `error`.
Library *load(const LoadedModule &module, const char *path, const LibraryOptions &options, std::string &error) {
  const LibraryFacts facts = factsOf(module, options.version);
  if (!facts.refusal.empty()) {
    error = facts.refusal;
    return nullptr;
  }
  auto *library = new Library;
  library->path = path;
  library->options = options;
  library->version = facts.version;
  library->warning = facts.warning;
  library->layout = facts.choice.layout;
  library->abi = facts.choice.abi;
  library->factory = facts.exports.factory;
  library->create = facts.create;
  if (!options.production && facts.exports.factory != Factory::bbb) {
    add(library->warning, "it has no flag for evaluation back ends, production_mode false changes nothing");
  }
  return library;
}

// Tries the file until it is one that passed its trial and has not changed since. Outside the lock: nobody who opens
// another library waits for this one's trial. The reason if it must not be loaded.
std::string tryOut(const char *path, FileIdentity &tried) {
  for (int reading = 1;; reading++) {
    std::string reason = whyNotLoadable(path);
    if (!reason.empty()) return reason;
    reason = whyNotSafe(path, tried);
    if (tried == identityOf(path)) return reason;
    if (reading == mostReadings) return "it is being changed";
  }
}

}  // namespace

VendorApi Library::createApi(const char *flowPath) const {
  return {callFactory(factory, create, flowPath, options.production), abi};
}

bool libraryUnderTrial(const char *path) {
  char resolved[PATH_MAX];
  if (!whyNotLoadable(path).empty() || ::realpath(path, resolved) == nullptr) return false;
  return !wasLoaded(resolved) && trialUnderWay(resolved);
}

const Library *openLibrary(const char *path, const LibraryOptions &options, std::string &error, int &handle) {
  // A library that is open stays what it is, also when its file has been damaged since.
  char resolved[PATH_MAX];
  std::string reason;
  FileIdentity tried;
  if (::realpath(path, resolved) == nullptr) {
    reason = whyNotLoadable(path);
    if (reason.empty()) reason = "no such file";
  } else if (!wasLoaded(resolved)) {
    reason = tryOut(resolved, tried);
  }
  if (reason.empty()) {
    Libraries &all = libraries();
    const std::lock_guard<std::mutex> lock(all.mutex);
    for (std::size_t i = 0; i < all.list.size(); i++) {
      if (same(*all.list[i], resolved, options)) {
        handle = static_cast<int>(i);
        return all.list[i];
      }
    }
    const LoadedModule module = moduleOf(all, resolved, tried);
    if (const Library *library = load(module, resolved, options, reason); library != nullptr) {
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

LibraryFacts examineLibrary(const char *path, const std::string &assertedVersion) {
  LibraryFacts facts;
  facts.refusal = whyNotLoadable(path);
  if (!facts.refusal.empty()) return facts;
  return factsOf(loadLibrary(path, identityOf(path)), assertedVersion);
}

}  // namespace qb
