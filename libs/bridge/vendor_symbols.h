// What a loaded library exports of the vendor's interface.
#pragma once

#include <string>

#include "versions.h"

namespace qb {

struct VendorSymbols {
  Factory factory = Factory::none;
  void *create = nullptr;
  vendor::GetVersion getVersion = nullptr;
  bool stockOptions = false;  // it is the vendor's other product, by its namespace
};

VendorSymbols findSymbols(void *module);

// Calls the factory: TCP fronts only. May throw whatever the vendor throws.
void *callFactory(Factory factory, void *create, const char *flowPath, bool production);

}  // namespace qb
