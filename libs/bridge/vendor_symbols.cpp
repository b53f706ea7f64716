#include "vendor_symbols.h"

#include <dlfcn.h>
#include <link.h>

#include <cstring>

#include "private_copy.h"

namespace qb {
namespace {

// The sanitizers must come first in every library, and say so.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int ownSymbolsFirst = 0;
#else
constexpr int ownSymbolsFirst = RTLD_DEEPBIND;
#endif

// Bytes of an exported object, as the symbol table says; 0 if the library does not export it.
std::size_t sizeOf(void *module, const char *symbol) {
  void *address = ::dlsym(module, symbol);
  if (address == nullptr) return 0;
  Dl_info info{};
  void *entry = nullptr;
  if (::dladdr1(address, &info, &entry, RTLD_DL_SYMENT) == 0 || entry == nullptr) return 0;
  const bool same = info.dli_sname != nullptr && std::strcmp(info.dli_sname, symbol) == 0;
  return same ? static_cast<const ElfW(Sym) *>(entry)->st_size : 0;
}

}  // namespace

LoadedModule loadLibrary(const std::string &path, const FileIdentity &expected) {
  const auto open = [](const std::string &name) {
    return ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE | ownSymbolsFirst);
  };
  const auto trouble = [] {
    const char *text = ::dlerror();
    return std::string(text == nullptr ? "unknown reason" : text);
  };
  std::string reason;
  const std::string copy = copyPrivately(path, expected, reason);
  if (!copy.empty()) {
    if (void *module = open(copy); module != nullptr) return {module, ""};
    reason = trouble();
    discardCopy(copy);
  }
  // A library that needs others beside it finds them from its own place alone.
  if (void *module = open(path); module != nullptr) {
    return {module, "no copy of it could be loaded (" + reason + "): do not overwrite the file while the gateway runs"};
  }
  return {nullptr, "cannot be loaded: " + trouble()};
}

VendorSymbols findSymbols(void *module) {
  VendorSymbols found;
  const auto take = [&](const char *symbol, Factory factory) {
    if (found.create != nullptr) return;
    found.create = ::dlsym(module, symbol);
    if (found.create != nullptr) found.exports.factory = factory;
  };
  take(vendor::createBbbSymbol, Factory::bbb);
  take(vendor::createBbSymbol, Factory::bb);
  take(vendor::createBSymbol, Factory::b);
  found.getVersion = reinterpret_cast<vendor::GetVersion>(::dlsym(module, vendor::getVersionSymbol));
  found.exports.requestClassBytes = sizeOf(module, vendor::requestVtableSymbol);
  found.exports.multicastQuery = ::dlsym(module, vendor::multicastQuerySymbol) != nullptr;
  found.exports.stockOptions = ::dlsym(module, vendor::createStockOptionsSymbol) != nullptr;
  return found;
}

void *callFactory(Factory factory, void *create, const char *flowPath, bool production) {
  switch (factory) {
    case Factory::bbb: return reinterpret_cast<vendor::CreateBbb>(create)(flowPath, false, false, production);
    case Factory::bb: return reinterpret_cast<vendor::CreateBb>(create)(flowPath, false, false);
    case Factory::b: return reinterpret_cast<vendor::CreateB>(create)(flowPath, false);
    case Factory::none: break;
  }
  return nullptr;
}

}  // namespace qb
