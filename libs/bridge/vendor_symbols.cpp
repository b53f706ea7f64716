#include "vendor_symbols.h"

#include <dlfcn.h>

namespace qb {
namespace {

// The sanitizers must come first in every library, and say so.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int ownSymbolsFirst = 0;
#else
constexpr int ownSymbolsFirst = RTLD_DEEPBIND;
#endif

}  // namespace

void *loadLibrary(const char *path) {
  return ::dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE | ownSymbolsFirst);
}

VendorSymbols findSymbols(void *module) {
  VendorSymbols found;
  const auto take = [&](const char *symbol, Factory factory) {
    if (found.create != nullptr) return;
    found.create = ::dlsym(module, symbol);
    if (found.create != nullptr) found.factory = factory;
  };
  take(vendor::createBbbSymbol, Factory::bbb);
  take(vendor::createBbSymbol, Factory::bb);
  take(vendor::createBSymbol, Factory::b);
  found.getVersion = reinterpret_cast<vendor::GetVersion>(::dlsym(module, vendor::getVersionSymbol));
  found.stockOptions = ::dlsym(module, vendor::createStockOptionsSymbol) != nullptr;
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
